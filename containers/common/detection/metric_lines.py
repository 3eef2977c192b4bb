"""The lines that SageMaker's metric regexes read, and those regexes.

Every line starts with its phase in brackets and every regex with that phase, so that none can match
another phase's line. `metrics.json` beside an image's programs is made from the `definitions()` of its phases.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
Phases = Mapping[str, Sequence[str]]  # phase -> names of its numbers


def line(phase: str, iteration: int, values: Mapping[str, float]) -> str:
    """`[training] iter=40 loss=1.234 lr=0.001`."""
    numbers = " ".join(f"{name}={value:.6g}" for name, value in values.items())
    return f"[{phase}] iter={iteration} {numbers}"


def definitions(*tasks: Phases) -> list[dict[str, str]]:
    """Metric definitions for CreateTrainingJob, `Name` and `Regex`, of an image that trains for these tasks."""
    numbers = dict.fromkeys((phase, name) for phases in tasks for phase, names in phases.items() for name in names)
    return [
        {"Name": f"{phase}:{name}", "Regex": rf"\[{phase}\] iter=\d+ (?:\S+ )*{re.escape(name)}={NUMBER}"}
        for phase, name in numbers
    ]


def write(path: Path, *tasks: Phases) -> None:
    """Write the definitions as JSON."""
    path.write_text(json.dumps(definitions(*tasks), indent=2) + "\n", encoding="utf-8")
