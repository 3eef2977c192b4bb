"""The edge example on this machine: what a device would find, and how long a picture takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from lab_utils import paths
from lab_utils.dataset import DetectionDataset
from lab_utils.endpoints import COLUMNS
from lab_utils.errors import LabError

KINDS = ("float", "fp16", "int8")


class EdgeError(LabError):
    """The example ended with an error; the message is its own."""


def copy_model(archive: str | Path, folder: str | Path, kind: str = "int8") -> Path:
    """Run `edge/copy_model.py`: the folder that goes to the device.

    Args:
        archive: a tfod job's `model.tar.gz`.
        kind: one of KINDS.

    Raises:
        EdgeError: the archive holds no such model.
    """
    _run(paths.project() / "edge/copy_model.py", str(archive), str(folder), "--kind", kind)
    return Path(folder)


def detect(device: str | Path, dataset: DetectionDataset, *, threads: int = 2) -> tuple[pd.DataFrame, pd.Series]:
    """Run `detect.py` of a copied folder over a data set whose root holds its images and no others.

    Returns:
        The detections of all scores (`endpoints.COLUMNS`; boxes xywh in pixels), and milliseconds a picture, from the
        opened picture to the boxes, without the first five, which warm up.

    Raises:
        EdgeError: the program failed.
    """
    output = _run(Path(device) / "detect.py", str(dataset.root), "--score", "0", "--threads", str(threads))
    found = [json.loads(line) for line in output.splitlines()]
    image_ids = dict(zip(dataset.images["file_name"], dataset.images["image_id"], strict=True))
    class_ids = {name: number for number, name in enumerate(dataset.classes)}
    rows = [
        (image_ids[row["frame"]], class_ids[name], score, left, top, right - left, bottom - top)
        for row in found
        for (left, top, right, bottom), score, name in zip(row["boxes"], row["scores"], row["classes"], strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS), pd.Series([row["ms"] for row in found[5:]], name="ms")


def _run(program: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise EdgeError(f"{program.name}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout
