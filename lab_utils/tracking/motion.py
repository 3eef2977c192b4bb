"""How the picture moves between frames, so that an object out of sight can be waited for where it must be now.

Corners of the picture are followed by optical flow (Lucas and Kanade, in pyramids: Bouguet, 2000). The similarity that
most of those near a place agree on, by RANSAC, carries what is there along: BoT-SORT's "global motion compensation"
(Aharon et al., 2022), taken locally, for what is near moves faster than what is far when the camera itself travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import ConfigError
from lab_utils.tracking.tracker import Box
from lab_utils.tracking.video import Image

_COLUMNS = 480  # of the copy that is looked at
_CORNERS, _QUALITY, _APART = 200, 0.005, 12  # their number, least share of the best one's strength, least distance
_LOCAL = 40  # corners nearest to a place that have a vote
_AGREED = 1.0  # pixels of the copy within which a corner follows the others
_FEWEST = 8  # corners from which a motion is believed


@dataclass(frozen=True)
class Flow:
    """Where corners of the last frame are in this one: `before` and `after`, [N, 2] (x, y) in pixels of the copy, which
    is `step` times smaller than the frame."""

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    step: float

    def carried(self, box: Box) -> Box:
        """The box (xywh, pixels of the frame) moved and scaled as its surroundings are."""
        if len(self.before) < _FEWEST:
            return box
        centre = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
        near = np.hypot(*(self.before - centre / self.step).T).argsort()[:_LOCAL]
        found, _ = _opencv().estimateAffinePartial2D(self.before[near], self.after[near], ransacReprojThreshold=_AGREED)
        if found is None:
            return box
        x, y = found[:, :2] @ centre + found[:, 2] * self.step
        scale = float(np.sqrt(np.linalg.det(found[:, :2])))
        width, height = box[2] * scale, box[3] * scale
        return float(x - width / 2), float(y - height / 2), width, height


class CameraMotion:
    """Follows the picture; `update` takes each frame in turn.

    Raises:
        ConfigError: OpenCV is missing.
    """

    def __init__(self, frame: Image) -> None:
        self._last = self._grey(frame)

    def update(self, frame: Image) -> Flow:
        """How the picture has moved since the last frame."""
        cv2 = _opencv()
        last, self._last = self._last, self._grey(frame)
        before = cv2.goodFeaturesToTrack(last, _CORNERS, _QUALITY, _APART)
        if before is None:
            return Flow(np.empty((0, 2), np.float32), np.empty((0, 2), np.float32), self._step)
        after, followed, _ = cv2.calcOpticalFlowPyrLK(last, self._last, before, None)
        kept = followed.ravel() == 1
        return Flow(before[kept, 0], after[kept, 0], self._step)

    def _grey(self, frame: Image) -> Image:
        cv2 = _opencv()
        self._step = max(frame.shape[1] / _COLUMNS, 1.0)
        size = tuple(round(side / self._step) for side in frame.shape[1::-1])
        return np.asarray(cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size))


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError("OpenCV is missing: install it with pip install 'signal-labs[tracking]'") from error
    return cv2
