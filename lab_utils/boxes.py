"""Box maths on whole arrays.

A box is four float64 pixel coordinates with the origin at the image's top left corner, as `xyxy`
(xmin, ymin, xmax, ymax) or `xywh` (xmin, ymin, width, height). Coordinates are edges, not pixel indices:
width = xmax - xmin, without COCO's or VOC's historical +1.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float64]


def _as_boxes(values: ArrayLike, name: str) -> Boxes:
    boxes = np.asarray(values, dtype=np.float64)
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{name}: expected shape (N, 4), got {boxes.shape}")
    return boxes


def xywh_to_xyxy(xywh: ArrayLike) -> Boxes:
    """Corners of boxes given by corner and size; shape (N, 4) to (N, 4).

    >>> xywh_to_xyxy([[10, 20, 5, 8]])
    array([[10., 20., 15., 28.]])
    """
    boxes = _as_boxes(xywh, "xywh")
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xyxy_to_xywh(xyxy: ArrayLike) -> Boxes:
    """Corner and size of boxes given by their corners; shape (N, 4) to (N, 4).

    >>> xyxy_to_xywh([[10, 20, 15, 28]])
    array([[10., 20.,  5.,  8.]])
    """
    boxes = _as_boxes(xyxy, "xyxy")
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def area(xyxy: ArrayLike) -> NDArray[np.float64]:
    """Area in square pixels, shape (N,); a box turned inside out has none."""
    boxes = _as_boxes(xyxy, "xyxy")
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)


def iou(a_xyxy: ArrayLike, b_xyxy: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union of every pair: (N, 4) and (M, 4) give (N, M) in [0, 1].

    Two boxes without area have an IoU of 0.

    >>> iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(3)
    array([[0.333, 0.   ]])
    """
    a, b = _as_boxes(a_xyxy, "a_xyxy"), _as_boxes(b_xyxy, "b_xyxy")
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    union = area(a)[:, None] + area(b)[None, :] - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)


def clip(xyxy: ArrayLike, width: float, height: float) -> Boxes:
    """Cut boxes off at the edges of an image of `width` x `height` pixels; shape (N, 4) to (N, 4).

    >>> clip([[-3, 5, 700, 90]], 640, 80)
    array([[  0.,   5., 640.,  80.]])
    """
    return np.clip(_as_boxes(xyxy, "xyxy"), 0, [width, height, width, height])


def nms(xyxy: ArrayLike, scores: ArrayLike, threshold: float, classes: Any = None) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        xyxy: boxes, shape (N, 4).
        scores: shape (N,); equal scores keep their order.
        threshold: a box whose IoU with a better one is greater is suppressed (torchvision's rule).
        classes: class of each box, shape (N,): boxes suppress only their own class. None: all boxes compete.

    Returns:
        Indices of the boxes kept, best first.

    >>> nms([[0, 0, 9, 9], [0, 0, 9, 8], [20, 0, 29, 9]], [0.5, 0.9, 0.7], 0.5)
    array([1, 2])
    """
    boxes = _as_boxes(xyxy, "xyxy")
    labels = np.zeros(len(boxes)) if classes is None else np.asarray(classes)
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    if not len(order) == len(boxes) == len(labels):
        raise ValueError(f"{len(boxes)} boxes, {len(order)} scores, {len(labels)} classes: expected as many of each")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        rival = labels[rest] == labels[best]
        rival &= iou(boxes[[best]], boxes[rest])[0] > threshold
        order = rest[~rival]
    return np.array(kept, dtype=np.intp)
