"""Tiny labs, one for each way to end, and a plan that runs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from notebooks.make import PARAMETERS, code, markdown, write

from lab_utils.runner.notebook import discover
from lab_utils.runner.run import Plan

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
LEAVE_TRACE = "from pathlib import Path\nPath(profile + '.cleaned').touch()"


def lab_cells(*work: dict[str, Any]) -> list[dict[str, Any]]:
    """A lab in the usual form around some cells of work; its clean-up leaves the file `smoke.cleaned`."""
    return [
        markdown("# Lab"),
        code(PARAMETERS, "parameters"),
        markdown("## Step 1: Work"),
        *work,
        code(LEAVE_TRACE, "clean-up"),
    ]


@pytest.fixture(scope="session")
def plan_for() -> Callable[..., Plan]:
    """`plan_for(folder, timeout=8)`: a plan to run every lab of a folder in the smoke profile."""

    def make(folder: Path, **options: Any) -> Plan:
        given = {"profile": "smoke", "backend": "local", "project": folder, "out": folder / "out", **options}
        return Plan(labs=discover(folder), **given)

    return make


@pytest.fixture(scope="session")
def add_lab() -> Callable[..., Path]:
    """`add_lab(folder, name, *cells)` writes one lab."""

    def add(folder: Path, name: str, *work: dict[str, Any], **about: Any) -> Path:
        folder.mkdir(exist_ok=True)
        return write(folder, name, *lab_cells(*work), **about)

    return add
