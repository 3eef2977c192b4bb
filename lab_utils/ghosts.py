"""Ghost detections: what a model that was trained on some classes makes of others that look alike."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from lab_utils import boxes
from lab_utils.dataset import XYWH, DetectionDataset

_NOTHING, _OVERLAP = "nothing", 0.3


def ghost_table(
    strangers: DetectionDataset, predictions: pd.DataFrame, classes: tuple[str, ...], *, minimum_score: float = 0.5
) -> pd.DataFrame:
    """What each class that the model does not know was taken for.

    Args:
        strangers: images with boxes of such classes.
        predictions: detections in them: `image_id`, `class_id`, `score` and xywh in pixels.
        classes: the model's class names.
        minimum_score: detections below it do not count.

    Returns:
        One row a class that occurs: `boxes`; how many of them were taken for each of `classes` (by the detection with
        the best score of those that overlap the box with an IoU of 0.3 or more) or for `nothing`.
    """
    kept = predictions[predictions["score"] >= minimum_score].sort_values("score", ascending=False)
    by_image = dict(iter(kept.groupby("image_id")))
    found = strangers.boxes.to_dict("records")
    shown = pd.Series([strangers.classes[box["class_id"]] for box in found], dtype=str)
    taken = pd.Series([_taken_for(box, by_image.get(box["image_id"]), classes) for box in found], dtype=str)
    table = pd.crosstab(shown, taken).reindex(columns=[*classes, _NOTHING], fill_value=0)
    table.insert(0, "boxes", table.sum(axis=1))
    return table.rename_axis(index="class", columns=None)


def _taken_for(box: dict[Hashable, Any], found: pd.DataFrame | None, classes: tuple[str, ...]) -> str:
    if found is None:
        return _NOTHING
    ious = boxes.iou(boxes.xywh_to_xyxy([[box[name] for name in XYWH]]), boxes.xywh_to_xyxy(found[XYWH]))[0]
    overlapping = found[ious >= _OVERLAP]
    return _NOTHING if overlapping.empty else classes[int(overlapping["class_id"].iloc[0])]
