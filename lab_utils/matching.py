"""Which detections find an object: COCO's and VOC's rules on whole arrays.

Crowd regions and difficult boxes are ignored: a detection that falls on one counts neither as found nor as false.
Sources of the rules: pycocotools' cocoeval.py, and VOCevaldet.m of VOC's development kit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab_utils import boxes
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError

COCO_IOUS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())
_MOST = 100  # COCO keeps the best of an image and class


@dataclass(frozen=True)
class Matches:
    """The detections of one model, in the order of falling scores.

    Attributes:
        image: row of the image in `dataset.images`, int64 [N].
        class_id: int64 [N].
        hit: finds an object, bool [IoU, N].
        ignored: counts neither way, bool [IoU, N].
        positives: objects that count, int64 [images, classes].
    """

    image: NDArray[np.int64]
    class_id: NDArray[np.int64]
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    positives: NDArray[np.int64]


def match(
    dataset: DetectionDataset, predictions: pd.DataFrame, ious: Sequence[float] = COCO_IOUS, *, rule: str = "coco"
) -> Matches:
    """Hold detections against the boxes of a data set.

    Args:
        predictions: checked, as `metrics.evaluate` takes them.
        ious: thresholds of intersection over union.
        rule: "coco": a detection takes the best object that is still free; the best 100 of an image and class count.
            "voc": it takes the best object, and is false if a better detection had that already.

    Raises:
        ConfigError: another rule.
    """
    if rule not in _RULES:
        raise ConfigError(f"rule={rule!r}: expected one of {', '.join(_RULES)}")
    found, truth = _sorted(dataset, predictions), _keyed(dataset, dataset.boxes)
    if rule == "coco":
        found = found[found.groupby("key").cumcount() < _MOST]
    truth["ignore"] = truth["crowd"] | truth["difficult"]
    hit = np.zeros((len(ious), len(found)), dtype=bool)
    ignored = np.zeros_like(hit)
    _match_all(found, truth, np.asarray(ious), _RULES[rule], hit, ignored)
    positives = np.zeros((len(dataset), len(dataset.classes)), dtype=np.int64)
    counted = truth[~truth["ignore"]]
    np.add.at(positives, (counted["image"].to_numpy(), counted["class_id"].to_numpy()), 1)
    order = np.argsort(-found["score"].to_numpy(), kind="stable")
    image, classes = (found[column].to_numpy(dtype=np.int64)[order] for column in ("image", "class_id"))
    return Matches(image, classes, hit[:, order], ignored[:, order], positives)


def _keyed(dataset: DetectionDataset, table: pd.DataFrame) -> pd.DataFrame:
    """With the `image`'s row and a `key` for each image and class."""
    image = pd.Index(dataset.images["image_id"]).get_indexer(table["image_id"])
    return table.assign(image=image, key=image * len(dataset.classes) + table["class_id"].to_numpy())


def _sorted(dataset: DetectionDataset, predictions: pd.DataFrame) -> pd.DataFrame:
    """By image id as COCO does, and by score within: that decides ties."""
    table = _keyed(dataset, predictions)
    order = np.lexsort((-table["score"].to_numpy(dtype=np.float64), table["image_id"].to_numpy()))
    return table.iloc[order].reset_index(drop=True)


_Rule = Callable[[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]], tuple[np.ndarray, np.ndarray]]


def _match_all(
    found: pd.DataFrame, truth: pd.DataFrame, ious: np.ndarray, rule: _Rule, hit: np.ndarray, ignored: np.ndarray
) -> None:
    corners = boxes.xywh_to_xyxy(found[XYWH].to_numpy(dtype=np.float64))
    true_corners, ignore = boxes.xywh_to_xyxy(truth[XYWH].to_numpy()), truth["ignore"].to_numpy()
    objects_of = truth.groupby("key").indices
    for key, rows in found.groupby("key").indices.items():
        objects = objects_of.get(key)
        if objects is not None:
            overlap = boxes.iou(corners[rows], true_corners[objects])
            if ignore[objects].any() and rule is _coco:
                _over_own_area(overlap, corners[rows], true_corners[objects], ignore[objects])
            hit[:, rows], ignored[:, rows] = rule(overlap, ignore[objects], ious)


def _over_own_area(overlap: np.ndarray, found: np.ndarray, truth: np.ndarray, ignore: np.ndarray) -> None:
    """For a crowd region COCO divides by the detection's area alone: it need not cover the crowd."""
    union = boxes.area(found)[:, None] + boxes.area(truth)[None]
    intersection = overlap * union / (1 + overlap)
    own = np.maximum(boxes.area(found), np.finfo(float).tiny)[:, None]
    overlap[:, ignore] = (intersection / own)[:, ignore]


def _coco(overlap: np.ndarray, ignore: np.ndarray, ious: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Found and ignored, [IoU, detections], of one image and class."""
    shape = len(ious), len(overlap)
    hit, ignored = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    free = np.ones((len(ious), len(ignore)), dtype=bool)
    each, last = np.arange(len(ious)), len(ignore) - 1
    for d, row in enumerate(overlap):
        good = free & (row >= ious[:, None] - 1e-10)
        rank = np.where(good, row + 2 * ~ignore, -1)  # an object that counts before one that does not
        best = last - rank[:, ::-1].argmax(axis=1)  # of equals the last, as pycocotools takes
        any_ = good.any(axis=1)
        ignored[:, d], hit[:, d] = any_ & ignore[best], any_ & ~ignore[best]
        free[each, best] &= ~hit[:, d]  # an ignored region can be met again
    return hit, ignored


def _voc(overlap: np.ndarray, ignore: np.ndarray, ious: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Likewise."""
    best = overlap.argmax(axis=1)
    good = overlap.max(axis=1)[None] >= ious[:, None]
    ignored = good & ignore[best]
    met = good & ~ignored
    first = np.zeros_like(met)
    for i, row in enumerate(met):
        places, where = np.unique(best[row], return_index=True)
        first[i, np.flatnonzero(row)[where[: len(places)]]] = True
    return first, ignored


_RULES: dict[str, _Rule] = {"coco": _coco, "voc": _voc}
