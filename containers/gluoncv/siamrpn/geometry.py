"""Squares around a target at the scale that SiamRPN sees it, and overlaps."""

import cv2
import numpy as np

from .names import Settings


def square_side(sides: np.ndarray, settings: Settings) -> float:
    """Side in frame pixels of the square that becomes `settings.exemplar` pixels, for a box of `sides` [2]."""
    return float(np.sqrt((sides + settings.context * sides.sum()).prod()))


def cut(picture: np.ndarray, box: np.ndarray, side: int, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """A square of `side` pixels with the box [4] (left, top, width, height) in its centre, and its sides [2] there.

    What is outside the picture has its mean colour, as in tracking.
    """
    scale = settings.exemplar / square_side(box[2:], settings)
    middle = box[:2] + box[2:] / 2 - 0.5  # of the pixel whose centre it is
    shift = side // 2 - scale * middle
    mapping = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(picture, mapping, (side, side), borderValue=cv2.mean(picture)), box[2:] * scale


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU [N] of boxes [N, 4] left, top, width, height, row by row."""
    start = np.maximum(first[:, :2], second[:, :2])
    end = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    shared = np.clip(end - start, 0, None).prod(axis=1)
    return shared / (first[:, 2:].prod(axis=1) + second[:, 2:].prod(axis=1) - shared)
