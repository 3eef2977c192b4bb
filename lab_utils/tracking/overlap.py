"""How far a tracker's boxes are from the truth, frame by frame, and the curves that the field draws of that.

All arrays hold one row a frame; boxes are xywh in pixels, [N, 4]. A row of NaN in the truth is a frame in which the
object is not seen: such frames do not count. A row of NaN in the tracker's boxes is a frame in which it took the object
for lost: its overlap is 0 and its error infinite.

Sources: Wu, Lim, Yang, Object Tracking Benchmark, TPAMI 2015 (success and precision plots, one-pass evaluation);
Mueller et al., TrackingNet, ECCV 2018 (normalised precision). Thresholds and strictness as in PySOT's and GluonCV's
`OPEBenchmark`: overlap > threshold, error <= threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

OVERLAP_THRESHOLDS = np.arange(0, 1.05, 0.05)
PIXEL_THRESHOLDS = np.arange(0, 51, 1)
SHARE_THRESHOLDS = np.arange(0, 51, 1) / 100
PIXELS = 20  # the threshold of the field's single number


def overlaps(truth: ArrayLike, boxes: ArrayLike) -> Array:
    """Intersection over union in each frame, [N]; NaN where the truth is NaN.

    >>> overlaps([[0, 0, 10, 10], [0, 0, 10, 10]], [[5, 0, 10, 10], [np.nan] * 4]).round(3)
    array([0.333, 0.   ])
    """
    a, b = _rows(truth), _rows(boxes)
    low = np.maximum(a[:, :2], b[:, :2])
    high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    found = common / (np.prod(a[:, 2:], axis=1) + np.prod(b[:, 2:], axis=1) - common)
    return _where_seen(a, np.clip(np.nan_to_num(found, nan=0.0), 0, 1))


def centre_errors(truth: ArrayLike, boxes: ArrayLike) -> Array:
    """Distance of the centres in pixels in each frame, [N]; NaN where the truth is NaN."""
    return _distances(truth, boxes, np.ones(2))


def normalised_errors(truth: ArrayLike, boxes: ArrayLike) -> Array:
    """Distance of the centres, x in widths and y in heights of the true box, [N]; NaN where the truth is NaN."""
    return _distances(truth, boxes, _rows(truth)[:, 2:])


def success_curve(truth: ArrayLike, boxes: ArrayLike) -> Array:
    """Share of frames whose overlap is above each of OVERLAP_THRESHOLDS, [21]; its mean is the AUC."""
    found = _seen(overlaps(truth, boxes))
    return (found[:, None] > OVERLAP_THRESHOLDS).mean(axis=0)


def precision_curve(truth: ArrayLike, boxes: ArrayLike) -> Array:
    """Share of frames whose centre error is at most each of PIXEL_THRESHOLDS, [51]."""
    return (_seen(centre_errors(truth, boxes))[:, None] <= PIXEL_THRESHOLDS).mean(axis=0)


def normalised_precision_curve(truth: ArrayLike, boxes: ArrayLike) -> Array:
    """Share of frames whose normalised error is at most each of SHARE_THRESHOLDS, [51]; its mean is TrackingNet's."""
    return (_seen(normalised_errors(truth, boxes))[:, None] <= SHARE_THRESHOLDS).mean(axis=0)


def _distances(truth: ArrayLike, boxes: ArrayLike, unit: Array) -> Array:
    a, b = _rows(truth), _rows(boxes)
    offset = ((a[:, :2] + a[:, 2:] / 2) - (b[:, :2] + b[:, 2:] / 2)) / unit
    return _where_seen(a, np.nan_to_num(np.hypot(*offset.T), nan=np.inf))


def _rows(values: ArrayLike) -> Array:
    boxes = np.asarray(values, dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"expected boxes of shape (N, 4), got {boxes.shape}")
    return boxes


def _where_seen(truth: Array, values: Array) -> Array:
    return np.where(np.isnan(truth).any(axis=1), np.nan, values)


def _seen(values: Array) -> Array:
    kept = values[~np.isnan(values)]
    if not len(kept):
        raise ValueError("the object is seen in no frame")
    return kept
