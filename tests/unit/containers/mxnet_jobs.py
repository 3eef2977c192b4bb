"""Jobs of the images that stand on MXNet, run in their environment."""

import subprocess
from functools import partial
from pathlib import Path

from unit.containers import programs

variables = partial(programs.variables, folders=("common", "gluoncv", "object_detection"))


def start(
    python: Path, base: Path, program: str = "gluoncv/train.py", *arguments: str, **further: str
) -> "subprocess.Popen[str]":
    """Start a program of `containers/` for a job in `base`, with `further` environment variables."""
    return programs.start(python, program, variables(base, **further), *arguments)
