"""COCO's average precision of detections, by pycocotools."""

import contextlib
import io
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def truth(records: list[dict[str, Any]], classes: list[str]) -> COCO:
    """The records' boxes as pycocotools wants them."""
    annotations = [
        {**box, "image_id": record["image_id"], "area": box["bbox"][2] * box["bbox"][3]}
        for record in records
        for box in record["annotations"]
    ]
    index = COCO()
    index.dataset = {
        "images": [{"id": record["image_id"]} for record in records],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes)],
        # pycocotools takes id 0 for "not matched"
        "annotations": [{**box, "id": i} for i, box in enumerate(annotations, start=1)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        index.createIndex()
    return index


def average_precision(truth: COCO, detections: list[dict[str, Any]]) -> dict[str, float]:
    """COCO's AP, AP50, AP75 in 0..1 and `AP50/<class>`, from COCO detections."""
    classes = {category["id"]: category["name"] for category in truth.dataset["categories"]}
    if not detections or not truth.dataset["annotations"]:
        nothing = 0.0 if truth.dataset["annotations"] else float("nan")
        return dict.fromkeys(("AP", "AP50", "AP75", *(f"AP50/{name}" for name in classes.values())), nothing)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.params.maxDets = [1, 10, 100]
        evaluation.evaluate()
        evaluation.accumulate()
    # [threshold, recall, class], over all sizes; -1 where a class has no box
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    by_class = {f"AP50/{classes[k]}": _mean(precision[0, :, i]) for i, k in enumerate(evaluation.params.catIds)}
    return {"AP": _mean(precision), "AP50": _mean(precision[0]), "AP75": _mean(precision[5]), **by_class}


def _mean(precision: np.ndarray) -> float:
    counted = precision[precision > -1]
    return float(counted.mean()) if counted.size else float("nan")
