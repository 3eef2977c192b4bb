"""A tracker that knows when it has lost the object, and a detector that finds it again.

The tracker follows from frame to frame; the detector looks now and then whether it is right, and at once when there is
reason for doubt: the tracker's score is low, or its box is not where, or not as large as, the camera's motion says of
the box that the detector saw last. The object is lost when the detector looks in vain for some frames, or when its
place leaves the frame. It is found again where the detector sees one of its class near that place. What the detector
sees beside the object is remembered, lest one of its neighbours be taken for it.

Compare "short-term tracker with re-detection": Lukezic et al., Now You See Me: Evaluating Performance in Long-Term
Visual Tracking, 2018 (LT1).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from lab_utils import boxes
from lab_utils.tracking.detection import Detect, box_of, nearest, overlapping
from lab_utils.tracking.motion import CameraMotion
from lab_utils.tracking.neighbours import Neighbours, is_inside
from lab_utils.tracking.overlap import overlaps
from lab_utils.tracking.thresholds import Thresholds
from lab_utils.tracking.tracker import Box, Observation, Tracker
from lab_utils.tracking.video import Image

SAME = 0.6  # IoU from which a detection is what is expected there, whatever its class
AGREED = 0.6  # IoU of tracker and detector above which the tracker goes on undisturbed
USUAL = 0.6  # share of the detector's usual score for the object from which a box may be taken for it
NEAR, GROWTH = 0.2, 1.5  # what a tracker's box has in common at least with the last one sure, and the most it has grown


class FusionTracker:
    """A tracker and a detector together.

    Args:
        tracker: follows from frame to frame.
        detect: the detector. Until it has once seen the object where the tracker has it, it cannot judge, and the
            tracker's score alone decides.
        thresholds: of the tracker's score; `found` counts only where the detector cannot judge.
        patience: looks in vain, or weak frames where the detector cannot judge, after which the object is lost.
        check_every: frames between two looks of the detector while all is well; 0: it looks only when in doubt.
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
        """Take up the object."""
        self._tracker.start(frame, box)
        self._motion, self._neighbours = CameraMotion(frame), Neighbours((frame.shape[1], frame.shape[0]))
        self._classes: Counter[int] = Counter()
        self._usual = 0.0
        self._meet(frame, box)
        self._sure = box  # where the detector saw it last, moved with the picture
        self._unseen = self._doubts = self._lost_for = 0

    def update(self, frame: Image) -> Observation:
        """The object's box; None while it is lost, or in doubt."""
        flow = self._motion.update(frame)
        self._sure = flow.carried(self._sure)
        self._neighbours.move(flow)
        said = self._tracker.update(frame)
        return self._wait(frame, said) if self._lost_for else self._follow(frame, said)

    def _follow(self, frame: Image, said: Observation) -> Observation:
        if not is_inside(self._sure, (frame.shape[1], frame.shape[0])):  # there a tracker clings to the edge
            return self._lose(said)
        self._unseen += 1
        trusted = self._is_trusted(said, self.thresholds.lost)
        due = self._check_every and self._unseen >= self._check_every
        if self._classes and (due or self._doubts or not trusted):
            return self._check(frame, said, trusted)
        if due and trusted and said.box:
            self._meet(frame, said.box)
        self._doubts = 0 if trusted else self._doubts + 1
        if self._doubts >= self._patience:
            return self._lose(said)
        return self._believe(said) if trusted else Observation(None, said.score)

    def _meet(self, frame: Image, box: Box) -> None:
        """Does the detector know what is in `box`? From the first frame on in which it does, it is asked."""
        seen, self._unseen = self._detect(frame), 0
        known = overlapping(seen, box, least=SAME)
        if known is not None:
            self._confirm(known)
            self._remember(seen, box)

    def _check(self, frame: Image, said: Observation, trusted: bool) -> Observation:
        """Let the detector look: it is right where the two differ."""
        seen = self._detect(frame)
        place = said.box if trusted and said.box else self._sure
        found = overlapping(self._neighbours.strangers(self._likely(seen, place), place), place)
        self._remember(seen, place)
        if found is None:
            self._doubts += 1
            if self._doubts >= self._patience:
                return self._lose(said)
            return self._believe(said) if trusted else Observation(None, said.score)
        self._confirm(found)
        if trusted and overlaps([place], [box_of(found)])[0] >= AGREED:
            self._sure, self._unseen, self._doubts = box_of(found), 0, 0
            return self._believe(said)
        return self._take_up(frame, found)

    def _wait(self, frame: Image, said: Observation) -> Observation:
        self._lost_for += 1
        if self._classes and self._lost_for % self._look_every == 0:
            seen = self._detect(frame)
            strangers = self._neighbours.strangers(self._likely(seen, self._sure), self._sure)
            found = nearest(strangers, self._sure, reach=reach(self._lost_for))
            self._remember(seen, self._sure if found is None else box_of(found))
            if found is not None:
                return self._take_up(frame, found)
        if not self._classes and self._is_trusted(said, self.thresholds.found):
            self._lost_for = self._doubts = 0
            return self._believe(said)
        return Observation(None, min(said.score, self.thresholds.lost))

    @property
    def _class(self) -> int:
        """What most looks have taken it for."""
        return self._classes.most_common(1)[0][0]

    def _confirm(self, found: pd.Series[Any]) -> None:
        """The detector has seen it: what it takes it for, and how sure it is as a rule."""
        self._classes[int(found["class_id"])] += 1
        self._usual += (float(found["score"]) - self._usual) / self._classes.total()

    def _likely(self, seen: pd.DataFrame, place: Box) -> pd.DataFrame:
        """The detections that may be the object in `place`: of its class or just there, of its sides, sure enough."""
        if seen.empty:
            return seen
        there = np.array(overlaps_of(place, [box_of(row) for _, row in seen.iterrows()])) >= SAME
        growth = seen[["width", "height"]] / np.array(self._sure[2:])
        alike = growth.min(axis=1).ge(1 / GROWTH) & growth.max(axis=1).le(GROWTH)
        sure = seen["score"] >= USUAL * self._usual
        return seen[sure & ((seen["class_id"] == self._class) | there) & alike]

    def _remember(self, seen: pd.DataFrame, own: Box) -> None:
        """Those of the object's class that are elsewhere are its neighbours."""
        alike = seen[(seen["class_id"] == self._class) & (seen["score"] >= USUAL * self._usual)]
        self._neighbours.remember(alike, own)

    def _believe(self, said: Observation) -> Observation:
        if said.box and not self._classes:
            self._sure = said.box
        return said

    def _take_up(self, frame: Image, found: pd.Series[Any]) -> Observation:
        self._sure = box_of(found)
        self._tracker.start(frame, self._sure)
        self._unseen = self._doubts = self._lost_for = 0
        return Observation(self._sure, float(found["score"]))

    def _lose(self, said: Observation) -> Observation:
        self._lost_for = 1
        return Observation(None, min(said.score, self.thresholds.lost))

    def _is_trusted(self, said: Observation, least: float) -> bool:
        """Is the score high enough, and the box where and as large as an object can be that stood in `_sure`?"""
        if said.box is None or said.score < least:
            return False
        growth = np.sqrt(np.prod(said.box[2:]) / np.prod(self._sure[2:]))
        own, *others = overlaps_of(said.box, [self._sure, *self._neighbours.boxes])
        return 1 / GROWTH < growth < GROWTH and own > NEAR and max(others, default=0.0) <= max(own, 0.3)


def overlaps_of(box: Box, others: list[Box]) -> list[float]:
    """IoU of a box with each of the others."""
    found: list[float] = boxes.iou(boxes.xywh_to_xyxy([box]), boxes.xywh_to_xyxy(others))[0].tolist()
    return found


def reach(lost_for: int) -> float:
    """How far from the place expected a lost object may be, in diagonals of its box, after so many frames."""
    return min(0.5 + 0.02 * lost_for, 1.0)
