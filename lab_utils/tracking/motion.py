"""The camera's own motion between frames, so that an object can be waited for where it must be now.

Corners of the picture are followed by optical flow (Lucas and Kanade, in pyramids: Bouguet, 2000), and the similarity
that most of them agree on is the camera's, found by RANSAC: the "global motion compensation" of BoT-SORT (Aharon et
al., 2022). What moves otherwise, near walls and trains, has no vote.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import ConfigError
from lab_utils.tracking.tracker import Box
from lab_utils.tracking.video import Image

Motion = NDArray[np.float64]
"""[2, 3]: (x, y) in pixels of the last frame times its first two columns plus the third is (x, y) in this one."""

STILL: Motion = np.array([[1.0, 0, 0], [0, 1, 0]])
_COLUMNS = 480  # of the copy that is looked at
_CORNERS, _QUALITY, _APART = 150, 0.01, 8  # their number, least share of the best one's strength, least distance
_AGREED = 1.0  # pixels of the copy within which a corner follows the camera
_FEWEST = 8  # corners from which a motion is believed


class CameraMotion:
    """Follows the camera; `update` takes each frame in turn.

    Raises:
        ConfigError: OpenCV is missing.
    """

    def __init__(self, frame: Image) -> None:
        self._cv2 = _opencv()
        self._last = self._grey(frame)

    def update(self, frame: Image) -> Motion:
        """How the picture has moved since the last frame; `STILL` where nothing can be made out."""
        last, self._last = self._last, self._grey(frame)
        before = self._cv2.goodFeaturesToTrack(last, _CORNERS, _QUALITY, _APART)
        if before is None:
            return STILL
        after, followed, _ = self._cv2.calcOpticalFlowPyrLK(last, self._last, before, None)
        kept = followed.ravel() == 1
        if kept.sum() < _FEWEST:
            return STILL
        found, _ = self._cv2.estimateAffinePartial2D(before[kept], after[kept], ransacReprojThreshold=_AGREED)
        return STILL if found is None else np.asarray(found * [1, 1, self._step])

    def _grey(self, frame: Image) -> Image:
        self._step = max(frame.shape[1] / _COLUMNS, 1.0)
        size = tuple(round(side / self._step) for side in frame.shape[1::-1])
        return np.asarray(self._cv2.resize(self._cv2.cvtColor(frame, self._cv2.COLOR_RGB2GRAY), size))


def moved(box: Box, by: Motion) -> Box:
    """The box (xywh) as the camera's motion moves and scales it."""
    scale = float(np.sqrt(abs(np.linalg.det(by[:, :2]))))
    x, y = by @ (box[0] + box[2] / 2, box[1] + box[3] / 2, 1.0)
    width, height = box[2] * scale, box[3] * scale
    return float(x - width / 2), float(y - height / 2), width, height


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError("OpenCV is missing: install it with pip install 'signal-labs[tracking]'") from error
    return cv2
