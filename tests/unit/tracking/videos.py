"""Small videos for the tests, some with what phones and cameras put in."""

from pathlib import Path

import numpy as np

from lab_utils.tracking import write_video
from lab_utils.tracking.video import Image

IDENTITY = np.array([65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()  # tkhd's matrix, 16.16 and 2.30
QUARTER_TURN = np.array([0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()  # shown turned clockwise


def marked(index: int, width: int = 64, height: int = 48) -> Image:
    """A grey frame with a red top left corner and a white column that moves two pixels a frame."""
    rgb = np.full((height, width, 3), 90, np.uint8)
    rgb[: height // 3, : width // 3] = (220, 30, 30)
    rgb[height // 2 :, 2 * index % width] = 255
    return rgb


def make(path: Path, frames: int = 5, width: int = 64, height: int = 48) -> Path:
    write_video(path, (marked(i, width, height) for i in range(frames)), quality=18)
    return path


def patched(path: Path, old: bytes, new: bytes) -> Path:
    """The file with every `old` replaced by `new` of the same length."""
    content = path.read_bytes()
    assert old in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))
    return path


def square(index: int, at: tuple[float, float], side: int = 24, size: tuple[int, int] = (160, 120)) -> Image:
    """Noise with a patterned square whose top left corner is `at`; the background never changes."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(60, 120, (size[1], size[0], 3), dtype=np.uint8)
    pattern = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    pattern[side // 4 : side // 2] = (250, 250, 40)
    left, top = (round(v) for v in at)
    rgb[top : top + side, left : left + side] = pattern
    return rgb


def landscape(width: int, height: int) -> Image:
    """Soft patches, wide enough for optical flow to follow them over many pixels."""
    import cv2

    patches = np.random.default_rng(3).integers(20, 235, (height // 10, width // 10, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC))
