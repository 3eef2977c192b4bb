"""OpenCV's correlation-filter trackers, which need no training and no weights."""

from typing import Any

import numpy as np

from lab_utils.errors import ConfigError
from lab_utils.tracking.tracker import Box, Observation
from lab_utils.tracking.video import Image

FIX = "pip install --force-reinstall --no-deps opencv-contrib-python-headless"


class CorrelationTracker:
    """CSRT or KCF as OpenCV's contrib modules have them.

    Both say of a frame only whether they follow the object, so the score is 1 or, without a box, 0. Sources: Lukezic
    et al., Discriminative Correlation Filter with Channel and Spatial Reliability, CVPR 2017 (CSRT); Henriques et al.,
    High-Speed Tracking with Kernelized Correlation Filters, TPAMI 2015 (KCF; OpenCV's does not change the box's size).

    Args:
        kind: "CSRT" or "KCF".

    Raises:
        ConfigError: OpenCV is missing, or is the build without contrib modules.
    """

    def __init__(self, kind: str) -> None:
        self._make = _factory(kind)
        self._tracker: Any = None

    def start(self, frame: Image, box: Box) -> None:
        """Take up the object; OpenCV wants whole pixels."""
        self._tracker = self._make()
        left, top, width, height = (round(value) for value in box)
        self._tracker.init(_bgr(frame), (left, top, max(width, 1), max(height, 1)))

    def update(self, frame: Image) -> Observation:
        """The object's box; None when the filter's response is too weak."""
        followed, (left, top, width, height) = self._tracker.update(_bgr(frame))
        if not followed or width <= 0 or height <= 0:
            return Observation(None, 0.0)
        return Observation((float(left), float(top), float(width), float(height)), 1.0)


def _factory(kind: str) -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError("OpenCV is missing: install it with pip install 'signal-labs[tracking]'") from error
    factory = getattr(cv2, f"Tracker{kind}_create", None)
    if factory is None:
        raise ConfigError(f"this OpenCV has no {kind}, another build has taken the contrib build's place: {FIX}")
    return factory


def _bgr(frame: Image) -> Image:
    return np.ascontiguousarray(frame[:, :, ::-1])
