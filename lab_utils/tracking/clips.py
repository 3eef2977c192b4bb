"""Clips with ground truth: `NAME.mp4` (H.264) and beside it `NAME.csv`.

The CSV has the header `frame,track_id,class_id,xmin,ymin,width,height,visibility` and one row a frame and object.
`frame` counts from 0. The box is in pixels of the frame, as floats, cut off at its edges but not at what stands before
the object. `visibility` is the share of the whole object that is seen, above 0 and at most 1: an object that is wholly
hidden or out of the frame has no row. Its id is the same when it comes back. Track 1 is the one that a tracker of a
single object follows; it is seen in frame 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab_utils.atomic import open_atomic
from lab_utils.errors import DataError
from lab_utils.tracking.video import Video

XYWH = ["xmin", "ymin", "width", "height"]
COLUMNS = ["frame", "track_id", "class_id", *XYWH, "visibility"]
TARGET = 1
_WHOLE = ["frame", "track_id", "class_id"]


@dataclass(frozen=True)
class Clip:
    """A video and its ground truth; both are read when they are first asked for."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @cached_property
    def video(self) -> Video:
        """The video."""
        return Video.open(self.path)

    @cached_property
    def annotations(self) -> pd.DataFrame:
        """One row a frame and object, with the columns `COLUMNS`."""
        return read_annotations(self.path.with_suffix(".csv"))

    def boxes(self, frames: int, track_id: int = TARGET) -> NDArray[np.float64]:
        """Boxes (xywh) of one object in frames 0 to `frames` - 1, [frames, 4]; NaN where it is not seen."""
        return self._of(track_id)[XYWH].reindex(range(frames)).to_numpy(np.float64)

    def visibility(self, frames: int, track_id: int = TARGET) -> NDArray[np.float64]:
        """Share of one object that is seen in frames 0 to `frames` - 1, [frames]; 0 where it is not."""
        return self._of(track_id)["visibility"].reindex(range(frames), fill_value=0.0).to_numpy(np.float64)

    def _of(self, track_id: int) -> pd.DataFrame:
        return self.annotations[self.annotations["track_id"] == track_id].set_index("frame")


def find_clips(folder: str | Path) -> list[Clip]:
    """The clips of a folder by name: each MP4 file that has a CSV file beside it.

    Raises:
        DataError: there is none.
    """
    clips = [Clip(path) for path in sorted(Path(folder).glob("*.mp4")) if path.with_suffix(".csv").is_file()]
    if not clips:
        raise DataError(f"{folder}: no clip (NAME.mp4 with NAME.csv beside it)")
    return clips


def read_annotations(path: str | Path) -> pd.DataFrame:
    """Read and check the ground truth of a clip, ordered by frame and track.

    Raises:
        DataError: missing, another header, or a row that is not as the format says; the message names the line.
    """
    try:
        table = pd.read_csv(path, dtype="float64")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as numbers with a header ({error})") from error
    if list(table) != COLUMNS:
        raise DataError(f"{path}: header {','.join(map(str, table))}, expected {','.join(COLUMNS)}")
    _check(table, path)
    return table.astype(dict.fromkeys(_WHOLE, "int64")).sort_values(["frame", "track_id"], ignore_index=True)


def write_annotations(path: str | Path, table: pd.DataFrame) -> None:
    """Write the ground truth of a clip, whole or not at all; positions with 2 digits, visibility with 3.

    Raises:
        DataError: a row is not as the format says.
    """
    rounded = table[COLUMNS].round(dict.fromkeys(XYWH, 2) | {"visibility": 3})
    _check(rounded, path)
    with open_atomic(path, newline="") as file:
        rounded.to_csv(file, index=False, lineterminator="\n")


def _check(table: pd.DataFrame, path: str | Path) -> None:
    whole, sizes = table[_WHOLE].to_numpy(), table[["width", "height"]].to_numpy()
    rules = {
        "numbers in every column": np.isfinite(table.to_numpy()).all(axis=1),
        "frame, track_id and class_id whole and not negative": ((whole >= 0) & (whole % 1 == 0)).all(axis=1),
        "width and height above 0": (sizes > 0).all(axis=1),
        "visibility above 0, at most 1": table["visibility"].between(0, 1, inclusive="right").to_numpy(),
        "one row a frame and track": ~table.duplicated(["frame", "track_id"]).to_numpy(),
    }
    for expected, kept in rules.items():
        if not kept.all():
            raise DataError(f"{path}:{int(np.argmin(kept)) + 2}: expected {expected}")
