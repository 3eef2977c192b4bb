"""The images' programs on the import path, and a job's /opt/ml to run them in."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unit.containers.made import configure

CONTAINERS = Path(__file__).parents[3] / "containers"
sys.path += [str(CONTAINERS / image) for image in ("detectron2", "gluoncv", "object_detection", "tfod")]


@pytest.fixture
def write_manifest(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines (dicts, or text as it is) to a manifest."""

    def write(*lines: Any, name: str = "training.manifest") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return path

    return write


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An empty /opt/ml of a job on one host."""
    (tmp_path / "input/config").mkdir(parents=True)
    configure(tmp_path, hyperparameters={})
    return tmp_path
