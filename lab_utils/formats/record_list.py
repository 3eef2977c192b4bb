"""The `.lst` of im2rec: a line has a record's id, the values of its label, and the image's path, separated by tabs."""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import DataError


def line(id_: int, label: NDArray[np.float32], name: str) -> str:
    """One line. Each value is the shortest text that reads as that float32, so that im2rec packs the same bits."""
    values = "\t".join(str(int(v)) if v == int(v) else str(v) for v in label)
    return f"{id_}\t{values}\t{name}\n"


def names(path: Path) -> dict[int, str]:
    """Record id to image path; nothing where there is no such file.

    Raises:
        DataError: a line is malformed, or its path leads out of the images' folder.
    """
    found: dict[int, str] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else [], start=1):
        columns = text.split("\t")
        if len(columns) < 3 or not columns[0].isdecimal():
            raise DataError(f"{path}:{number}: expected ID, label and path, separated by tabs; found {text[:80]!r}")
        if PurePosixPath(columns[-1]).is_absolute() or ".." in PurePosixPath(columns[-1]).parts:
            raise DataError(f"{path}:{number}: {columns[-1]!r} leads out of the images' folder; make it relative")
        found[int(columns[0])] = columns[-1]
    return found
