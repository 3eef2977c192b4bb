"""The lines that SageMaker's metric regexes read, and those regexes.

Every line starts with its phase in brackets and every regex with that phase, so that none can match
another phase's line. `metrics.json` beside the programs is made from `definitions()`.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
PHASES = {
    "training": ("loss", "loss_cls", "loss_box_reg", "loss_rpn_cls", "loss_rpn_loc", "lr"),
    "validation": ("AP", "AP50", "AP75", "loss", "loss_cls", "loss_box_reg", "loss_rpn_cls", "loss_rpn_loc"),
    "best": ("AP", "AP50"),
    "cost": ("seconds", "cpu_seconds", "peak_rss_mb", "images_per_second"),
}


def line(phase: str, iteration: int, values: Mapping[str, float]) -> str:
    """`[training] iter=40 loss=1.234 lr=0.001`."""
    numbers = " ".join(f"{name}={value:.6g}" for name, value in values.items())
    return f"[{phase}] iter={iteration} {numbers}"


def definitions() -> list[dict[str, str]]:
    """Metric definitions for CreateTrainingJob, `Name` and `Regex`."""
    return [
        {"Name": f"{phase}:{name}", "Regex": rf"\[{phase}\] iter=\d+ (?:\S+ )*{re.escape(name)}={NUMBER}"}
        for phase, names in PHASES.items()
        for name in names
    ]


def write(path: Path) -> None:
    """Write the definitions as JSON."""
    path.write_text(json.dumps(definitions(), indent=2) + "\n", encoding="utf-8")
