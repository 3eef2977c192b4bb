"""Jobs of the images that stand on MXNet, run in their environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from unit.containers.conftest import CONTAINERS


def variables(base: Path, **further: str) -> dict[str, str]:
    """The environment of the images' programs."""
    paths = os.pathsep.join(str(CONTAINERS / folder) for folder in ("common", "gluoncv", "object_detection"))
    own = {"SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": paths, "OMP_NUM_THREADS": "2"}
    return {**os.environ, **own, **further}


def start(
    python: Path, base: Path, program: str = "gluoncv/train.py", *arguments: str, **further: str
) -> "subprocess.Popen[str]":
    """Start a program of `containers/` for a job in `base`, with `further` environment variables."""
    return subprocess.Popen(
        [python, "-u", CONTAINERS / program, *arguments],
        env=variables(base, **further),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def summary(base: Path) -> dict[str, Any]:
    """What a training job wrote at its end."""
    return json.loads((base / "model/training_summary.json").read_text())
