"""How soon a tracker has its object again after it was hidden or out of the frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab_utils.tracking.ope import Run
from lab_utils.tracking.overlap import Array, overlaps

WITHIN = 15  # frames
SEEN = 0.5  # visibility from which a tracker can be expected to have it


def recoveries(run: Run) -> list[float]:
    """For each time that the object comes back, the frames until the overlap is above 0.5; infinite: never while it
    stays.

    The object is away from when less than half of it is seen to when half of it is, if no part is seen in between.
    """
    right = np.nan_to_num(overlaps(run.truth, run.boxes)) > 0.5
    spans = list(_in_sight(run.visibility))
    return [_first(right[start:end]) for start, end in spans[1:]]


def recovery_table(runs: Mapping[str, list[Run]]) -> pd.DataFrame:
    """One row a tracker: `returns` of objects in all its clips, the share recovered `within 15`, frames' `median`."""
    rows = {}
    for name, own in runs.items():
        frames = np.array([count for run in own for count in recoveries(run)])
        share = (frames <= WITHIN).mean() if len(frames) else np.nan
        median = np.median(frames) if len(frames) else np.nan
        rows[name] = {"returns": len(frames), f"within {WITHIN}": share, "median": median}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("tracker")


def _in_sight(visibility: Array) -> Iterator[tuple[int, int]]:
    """[start, end) of the spans in which it is half seen or more, parted by frames in which nothing of it is."""
    start, hidden = None, True
    for index, share in enumerate(visibility):
        if share >= SEEN and hidden:
            if start is not None:
                yield start, index
            start, hidden = index, False
        hidden = hidden or share == 0
    if start is not None:
        yield start, len(visibility)


def _first(right: NDArray[np.bool_]) -> float:
    return float(np.argmax(right)) if right.any() else np.inf
