"""What trackers ask of a detector: which of its boxes is the object?"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from lab_utils import boxes
from lab_utils.tracking.tracker import Box, Observation
from lab_utils.tracking.video import Image

Detect = Callable[[Image], pd.DataFrame]
"""RGB frame, uint8 [height, width, 3] -> a row a detection, as `lab_utils.endpoints.Detector.predict` gives it."""

XYWH = ["xmin", "ymin", "width", "height"]


def by_endpoint(detector: Any, *, minimum_score: float = 0.3) -> Detect:
    """A `lab_utils.endpoints.Detector` as a function of a frame, which it is sent as JPEG."""
    from PIL import Image as pictures

    def detect(frame: Image) -> pd.DataFrame:
        content = io.BytesIO()
        pictures.fromarray(frame).save(content, "JPEG", quality=92)
        found = detector.predict(content.getvalue())
        return found[found["score"] >= minimum_score].reset_index(drop=True)

    return detect


def remembered(detect: Detect) -> Detect:
    """The detector, asked once for each frame: trackers that are compared on the same clips share its answers."""
    answers: dict[bytes, pd.DataFrame] = {}

    def answer(frame: Image) -> pd.DataFrame:
        key = hashlib.sha256(frame.tobytes()).digest()
        if key not in answers:
            answers[key] = detect(frame)
        return answers[key].copy()

    return answer


def overlapping(found: pd.DataFrame, box: Box, least: float = 0.3) -> pd.Series[Any] | None:
    """The detection that overlaps `box` most, if its IoU is `least` or more."""
    if found.empty:
        return None
    ious = boxes.iou(boxes.xywh_to_xyxy([box]), boxes.xywh_to_xyxy(found[XYWH]))[0]
    best = int(ious.argmax())
    return found.iloc[best] if ious[best] >= least else None


def nearest(found: pd.DataFrame, box: Box, *, reach: float, class_id: int | None = None) -> pd.Series[Any] | None:
    """The detection nearest to `box`, of that class and no other size than a few frames make.

    Args:
        found: the detections.
        box: where the object is expected.
        reach: how far away it may be, in diagonals of `box`.
        class_id: the object's class; None: any.
    """
    if class_id is not None:
        found = found[found["class_id"] == class_id]
    if found.empty:
        return None
    values = found[XYWH].to_numpy(np.float64)
    offset = values[:, :2] + values[:, 2:] / 2 - (np.array(box[:2]) + np.array(box[2:]) / 2)
    away = np.hypot(*offset.T) / np.hypot(box[2], box[3])
    growth = np.sqrt(np.prod(values[:, 2:], axis=1) / (box[2] * box[3]))
    away[(away > reach) | (growth < 0.6) | (growth > 1.8)] = np.inf
    best = int(away.argmin())
    return found.iloc[best] if np.isfinite(away[best]) else None


def assign(expected: list[Box], found: pd.DataFrame, least: float = 0.2) -> dict[int, int]:
    """Expected box's index -> detection's row, one to one, with the greatest sum of overlaps; none below `least`."""
    from scipy.optimize import linear_sum_assignment

    if not expected or found.empty:
        return {}
    ious = boxes.iou(boxes.xywh_to_xyxy(expected), boxes.xywh_to_xyxy(found[XYWH]))
    pairs = zip(*linear_sum_assignment(-ious), strict=True)
    return {int(i): int(j) for i, j in pairs if ious[i, j] >= least}


def box_of(row: pd.Series[Any]) -> Box:
    """(xmin, ymin, width, height) of a detection."""
    left, top, width, height = (float(row[name]) for name in XYWH)
    return left, top, width, height


class DetectorTracker:
    """A detector alone: in each frame, the detection nearest to where the object was."""

    def __init__(self, detect: Detect) -> None:
        self._detect = detect

    def start(self, frame: Image, box: Box) -> None:
        """Take up the object; its class is that of the detection on it, if there is one."""
        at_start = overlapping(self._detect(frame), box)
        self._class = None if at_start is None else int(at_start["class_id"])
        self._box = box

    def update(self, frame: Image) -> Observation:
        """The detection's box and score; None where there is none near."""
        found = nearest(self._detect(frame), self._box, reach=1.5, class_id=self._class)
        if found is None:
            return Observation(None, 0.0)
        self._box = box_of(found)
        return Observation(self._box, float(found["score"]))
