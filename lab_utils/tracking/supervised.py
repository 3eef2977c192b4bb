"""VOT's supervised evaluation: a tracker that fails is started again, and failures are counted.

Source: Kristan et al., A Novel Performance Evaluation Methodology for Single-Target Trackers, TPAMI 2016: a failure is
an overlap of 0; the tracker starts again 5 frames later; the 10 frames after a start do not count for the accuracy.
Frames in which the object is not seen are no failures (VOT's clips have none), and no tracker is started in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lab_utils.tracking.clips import Clip
from lab_utils.tracking.overlap import Array, overlaps
from lab_utils.tracking.tracker import Tracker

WAIT = 5
BURN_IN = 10


@dataclass(frozen=True)
class Supervised:
    """Attributes:
    overlaps: [frames]; NaN where none counts: a start and what follows it, the wait, and the object not seen.
    failures: numbers of the frames in which the tracker failed.
    """

    overlaps: Array
    failures: tuple[int, ...]

    @property
    def accuracy(self) -> float:
        """Mean overlap while it tracks; NaN when no frame counts."""
        kept = self.overlaps[~np.isnan(self.overlaps)]
        return float(kept.mean()) if len(kept) else float("nan")

    @property
    def robustness(self) -> float:
        """Failures per 100 frames, as PySOT's tables give it: smaller is better."""
        return 100 * len(self.failures) / len(self.overlaps)


def supervise(clip: Clip, tracker: Tracker) -> Supervised:
    """Run a tracker through a clip from the target's first box on, and start it again after each failure."""
    frames = int(clip.annotations["frame"].max()) + 1
    truth = clip.boxes(frames)
    seen = [not np.isnan(box).any() for box in truth]
    found, failures = np.full(frames, np.nan), []
    start, since = 0, -1  # the frame from which it may be started; frames since it was
    for index, (rgb, _) in zip(range(frames), clip.video, strict=False):
        if since < 0:
            if seen[index] and index >= start:
                tracker.start(rgb, tuple(truth[index]))
                since = 0
            continue
        box = tracker.update(rgb).box
        since += 1
        if not seen[index]:
            continue
        overlap = overlaps(truth[[index]], [box or (np.nan,) * 4])[0]
        if overlap == 0:
            failures.append(index)
            start, since = index + WAIT, -1
        elif since >= BURN_IN:
            found[index] = overlap
    return Supervised(found, tuple(failures))


def supervised_table(clips: Sequence[Clip], trackers: dict[str, Tracker]) -> pd.DataFrame:
    """One row a tracker: mean `accuracy` over clips, all `failures`, and `robustness` (failures per 100 frames)."""
    rows = {}
    for name, tracker in trackers.items():
        results = [supervise(clip, tracker) for clip in clips]
        failures, frames = sum(len(r.failures) for r in results), sum(len(r.overlaps) for r in results)
        accuracy = float(np.nanmean([r.accuracy for r in results]))
        rows[name] = {"accuracy": accuracy, "failures": failures, "robustness": 100 * failures / frames}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("tracker")
