"""Scores of a tracker below which it has probably lost the object, and above which it probably has it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking.ope import Run
from lab_utils.tracking.overlap import overlaps


@dataclass(frozen=True)
class Thresholds:
    """Below `lost` the object is probably gone, above `found` it is probably there again."""

    lost: float
    found: float

    def __post_init__(self) -> None:
        if not 0 <= self.lost <= self.found <= 1:
            raise ConfigError(f"thresholds {self.lost} and {self.found}: expected 0 <= lost <= found <= 1")


def calibrate(runs: list[Run], *, good: float = 0.5, bad: float = 0.1) -> Thresholds:
    """Thresholds from runs of a tracker alone through clips with ground truth.

    `lost` parts frames in which it is right (overlap above `good`) best from those in which it is wrong (below `bad`,
    or the object is hidden): the score with the greatest sum of sensitivity and specificity (Youden, Index for Rating
    Diagnostic Tests, 1950). `found` is a score that only one wrong frame in 20 exceeds.

    Raises:
        DataError: the tracker was right, or wrong, in no frame.
    """
    scores = np.concatenate([run.scores[1:] for run in runs])
    overlap = np.concatenate([np.nan_to_num(overlaps(run.truth, run.boxes)[1:], nan=0.0) for run in runs])
    right, wrong = scores[overlap > good], scores[overlap < bad]
    if not len(right) or not len(wrong):
        raise DataError(f"{len(right)} frames in which the tracker is right, {len(wrong)} wrong: expected some of both")
    candidates = np.unique(scores)
    youden = [(right >= at).mean() + (wrong < at).mean() for at in candidates]
    lost = float(candidates[int(np.argmax(youden))])
    return Thresholds(lost, max(lost, float(np.quantile(wrong, 0.95))))
