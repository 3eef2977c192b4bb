"""The camera's own motion between frames, so that an object can be waited for where it must be now.

A shift of the whole picture, by phase correlation of small grey copies: Reddy and Chatterji, An FFT-based Technique for
Translation, Rotation, and Scale-Invariant Image Registration, TIP 1996. What comes nearer at the edges averages out.
"""

import numpy as np
from numpy.typing import NDArray

from lab_utils.tracking.tracker import Box
from lab_utils.tracking.video import Image

_COLUMNS = 160  # of the small copy


class CameraMotion:
    """Follows the camera; `update` takes each frame in turn."""

    def __init__(self, frame: Image) -> None:
        self._step = max(frame.shape[1] // _COLUMNS, 1)
        self._last = self._spectrum(frame)

    def update(self, frame: Image) -> tuple[float, float]:
        """Pixels (right, down) by which the picture has moved since the last frame."""
        now = self._spectrum(frame)
        cross = now * np.conj(self._last)
        surface = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=self._shape)
        self._last = now
        row, column = np.unravel_index(surface.argmax(), surface.shape)
        down, right = (_signed(int(at), size) for at, size in zip((row, column), self._shape, strict=True))
        return float(right * self._step), float(down * self._step)

    def _spectrum(self, frame: Image) -> NDArray[np.complex128]:
        step = self._step
        rows, columns = frame.shape[0] // step, frame.shape[1] // step
        cells = frame[: rows * step, : columns * step, 1].reshape(rows, step, columns, step)
        small = cells.mean(axis=(1, 3))
        self._shape = small.shape
        window = np.hanning(rows)[:, None] * np.hanning(columns)
        return np.fft.rfft2((small - small.mean()) * window)


def shifted(box: Box, by: tuple[float, float]) -> Box:
    """The box moved by (right, down) pixels."""
    return box[0] + by[0], box[1] + by[1], box[2], box[3]


def _signed(at: int, size: int) -> int:
    return at - size if at > size // 2 else at
