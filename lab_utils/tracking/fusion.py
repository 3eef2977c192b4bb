"""A tracker that knows when it has lost the object, and a detector that finds it again.

The tracker follows from frame to frame; the detector looks now and then whether it is right. The object is lost when
the tracker's score falls below one threshold for some frames, the detector looks in vain, the tracker goes over to a
neighbour, or the camera's motion takes the object's place out of the frame. It is found again when the score rises
above a second, higher threshold (hysteresis) in that place, or the detector sees it near there. What the detector sees
beside the object is remembered, lest one of its neighbours be taken for it.

Compare "short-term tracker with re-detection": Lukezic et al., Now You See Me: Evaluating Performance in Long-Term
Visual Tracking, 2018 (LT1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lab_utils import boxes
from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking.detection import Detect, assign, box_of, nearest, overlapping
from lab_utils.tracking.motion import CameraMotion, moved
from lab_utils.tracking.ope import Run
from lab_utils.tracking.overlap import overlaps
from lab_utils.tracking.tracker import Box, Observation, Tracker
from lab_utils.tracking.video import Image

REMEMBERED = 20  # neighbours of the object


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


class FusionTracker:
    """A tracker and a detector together.

    Args:
        tracker: follows from frame to frame.
        detect: the detector.
        thresholds: of the tracker's score; see `calibrate`.
        patience: frames below `lost` after which the object is lost.
        check_every: frames between two looks of the detector while the tracker follows; 0: never.
        look_every: the same while the object is lost.
    """

    def __init__(
        self,
        tracker: Tracker,
        detect: Detect,
        thresholds: Thresholds,
        *,
        patience: int = 2,
        check_every: int = 5,
        look_every: int = 1,
    ) -> None:
        self._tracker, self._detect, self.thresholds = tracker, detect, thresholds
        self._patience, self._check_every, self._look_every = patience, check_every, look_every

    def start(self, frame: Image, box: Box) -> None:
        """Take up the object; its class is that of the detection on it, if there is one."""
        self._tracker.start(frame, box)
        self._motion = CameraMotion(frame)
        seen = self._detect(frame)
        at_start = overlapping(seen, box)
        self._class = None if at_start is None else int(at_start["class_id"])
        self._neighbours: list[Box] = []
        self._remember(seen, beside(seen, box))
        self._box, self._frames, self._weak, self._vain, self._lost_for = box, 0, 0, 0, 0

    def update(self, frame: Image) -> Observation:
        """The object's box; None while it is lost."""
        self._frames += 1
        by = self._motion.update(frame)
        self._box = moved(self._box, by)
        self._neighbours = [moved(box, by) for box in self._neighbours]
        said = self._tracker.update(frame)
        return self._wait(frame, said) if self._lost_for else self._follow(frame, said)

    def _follow(self, frame: Image, said: Observation) -> Observation:
        if not _in_frame(self._box, frame):  # there a tracker clings to the edge
            self._lost_for = 1
            return Observation(None, min(said.score, self.thresholds.lost))
        weak = said.box is None or said.score < self.thresholds.lost or self._astray(said.box)
        self._weak = self._weak + 1 if weak else 0
        if said.box is not None and not weak:
            self._box = said.box
            if self._check_every and self._frames % self._check_every == 0:
                self._check(frame, said.box)
        if self._weak >= self._patience or self._vain >= self._patience:
            self._lost_for = 1
            return self._wait(frame, said._replace(score=min(said.score, self.thresholds.lost)))
        return Observation(None if self._weak else self._box, said.score)

    def _check(self, frame: Image, box: Box) -> None:
        """Let the detector look; where it sees the object a little elsewhere, the tracker starts again there."""
        seen = self._detect(frame)
        found = overlapping(seen, box, least=0.2)
        self._remember(seen, beside(seen, box))
        self._vain = self._vain + 1 if found is None else 0
        if found is not None and overlaps([box], [box_of(found)])[0] < 0.6:
            self._take_up(frame, box_of(found))

    def _wait(self, frame: Image, said: Observation) -> Observation:
        self._lost_for += 1
        if self._lost_for % self._look_every == 0:
            seen = self._detect(frame)
            matched = assign([self._box, *self._neighbours], seen)
            others = [row for index, row in matched.items() if index > 0]
            self._remember(seen, others)
            strangers = seen.drop(index=seen.index[others])
            found = nearest(strangers, self._box, reach=reach(self._lost_for), class_id=self._class)
            if found is not None:
                self._take_up(frame, box_of(found))
                return Observation(self._box, float(found["score"]))
        if said.box is not None and said.score > self.thresholds.found and self._in_place(said.box):
            self._box, self._lost_for, self._weak = said.box, 0, 0
            return said
        return Observation(None, said.score)

    def _take_up(self, frame: Image, box: Box) -> None:
        self._tracker.start(frame, box)
        self._box, self._lost_for, self._weak, self._vain = box, 0, 0, 0

    def _astray(self, box: Box) -> bool:
        """Has the tracker gone over to a neighbour?"""
        if not self._neighbours:
            return False
        places = boxes.xywh_to_xyxy([self._box, *self._neighbours])
        own, *others = boxes.iou(boxes.xywh_to_xyxy([box]), places)[0].tolist()
        return bool(max(others) > max(own, 0.3))

    def _in_place(self, box: Box) -> bool:
        """Is it where the object must be, and has the detector not just looked there in vain?"""
        return not self._vain and bool(overlaps([self._box], [box])[0] > 0.2)

    def _remember(self, seen: pd.DataFrame, rows: list[int]) -> None:
        """Keep where the others are: the detections `rows`, and those that the detector misses now."""
        matched = assign(self._neighbours, seen)
        missed = [box for index, box in enumerate(self._neighbours) if index not in matched]
        self._neighbours = [*missed, *(box_of(seen.iloc[row]) for row in rows)][-REMEMBERED:]


def beside(seen: pd.DataFrame, box: Box) -> list[int]:
    """The rows of the detections that do not show what is in `box`."""
    return [row for row in range(len(seen)) if overlapping(seen.iloc[[row]], box, least=0.2) is None]


def _in_frame(box: Box, frame: Image) -> bool:
    """Is the middle of the box inside the frame?"""
    height, width = frame.shape[:2]
    return 0 <= box[0] + box[2] / 2 < width and 0 <= box[1] + box[3] / 2 < height


def reach(lost_for: int) -> float:
    """How far from the place expected a lost object may be, in diagonals of its box, after so many frames."""
    return min(1.0 + 0.05 * lost_for, 2.0)
