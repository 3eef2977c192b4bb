"""Average precision of matched detections, for many weightings of the images at once.

A bootstrap draws images, or whole sequences of them, with replacement: that is a weight for each image, while the
matching stays what it is. One pass over the sorted detections then gives the AP of every draw.
"""

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import ConfigError
from lab_utils.matching import Matches

STYLES = ("coco", "voc07", "voc12")
_BLOCK = 2_000_000  # values of a block of draws: what the caches and the memory take


def average_precision(
    matches: Matches, weights: NDArray[np.float64] | None = None, *, style: str = "coco"
) -> NDArray[np.float64]:
    """AP of each class, NaN where it has no objects.

    Args:
        weights: of each image, [draws, images]; None: one draw, all 1.
        style: mean precision at 101 levels of recall ("coco") or at 11 ("voc07"), or the area under the curve
            ("voc12"); the precision at a recall is the best at that recall or above.

    Returns:
        float64 [draws, IoU, classes].

    Raises:
        ConfigError: another style.
    """
    if style not in STYLES:
        raise ConfigError(f"style={style!r}: expected one of {', '.join(STYLES)}")
    images, classes = matches.positives.shape
    weights = np.ones((1, images)) if weights is None else np.asarray(weights, dtype=np.float64)
    result = np.full((len(weights), len(matches.hit), classes), np.nan)
    for class_id in range(classes):
        rows = np.flatnonzero(matches.class_id == class_id)
        positives = weights @ matches.positives[:, class_id]
        step = max(_BLOCK // max(len(rows), 1), 1)
        for start in range(0, len(weights), step):
            block = slice(start, start + step)
            of_row = weights[block][:, matches.image[rows]]
            for i in range(len(matches.hit)):
                hit, ignored = matches.hit[i, rows], matches.ignored[i, rows]
                result[block, i, class_id] = _ap(of_row, hit, ignored, positives[block], style)
    return result


def _ap(weights: np.ndarray, hit: np.ndarray, ignored: np.ndarray, positives: np.ndarray, style: str) -> np.ndarray:
    """AP of one class at one IoU for each draw, [draws]."""
    found = np.cumsum(weights[:, ~ignored] * hit[~ignored], axis=1)
    every = np.cumsum(weights[:, ~ignored], axis=1)
    there = positives > 0
    recall = found / np.where(there, positives, 1)[:, None]
    precision = np.divide(found, every, out=np.zeros_like(found), where=every > 0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    area = _area(recall, best) if style == "voc12" else _levels(recall, best, 101 if style == "coco" else 11)
    return np.where(there, area, np.nan)


def _area(recall: np.ndarray, best: np.ndarray) -> np.ndarray:
    gain = np.diff(recall, axis=1, prepend=0)
    return (gain * best).sum(axis=1)


def _levels(recall: np.ndarray, best: np.ndarray, count: int) -> np.ndarray:
    """Mean of the precision at `count` levels of recall from 0 to 1; 0 where a level is not reached."""
    levels = np.arange(11) * 0.1 if count == 11 else np.linspace(0, 1, count)  # their tools' own bits
    place = np.array([np.searchsorted(row, levels) for row in recall])  # as COCO compares: without a tolerance
    reached = np.pad(best, ((0, 0), (0, 1)))
    return np.take_along_axis(reached, place, axis=1).mean(axis=1)
