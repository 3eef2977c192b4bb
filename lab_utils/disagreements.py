"""The frames on which models disagree most, and a gallery of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lab_utils import figures
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError
from lab_utils.matching import match
from lab_utils.metrics import check_predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def disagreements(
    dataset: DetectionDataset,
    models: Mapping[str, pd.DataFrame],
    *,
    minimum_score: float = 0.5,
    iou: float = 0.5,
) -> pd.DataFrame:
    """Count, for each image, the detections that one model has and another has not.

    Two models agree on a detection when both have the class at the place: an IoU from `iou` up.

    Args:
        models: name -> detections, as `metrics.evaluate` takes them; at least two.
        minimum_score: detections below it do not count.

    Returns:
        One row an image, the greatest disagreement first: `image_id`, `disagreement` (summed over the pairs of
        models), and each model's number of detections under its name.

    Raises:
        ConfigError: fewer than two models.
        DataError: detections that `metrics.evaluate` would refuse.
    """
    if len(models) < 2:
        raise ConfigError(f"models: {len(models)}; expected at least two to compare")
    kept = {}
    for name, predictions in models.items():
        check_predictions(dataset, predictions)
        kept[name] = predictions[predictions["score"] >= minimum_score]
    rows = pd.Index(dataset.images["image_id"])
    counts = {name: np.bincount(rows.get_indexer(t["image_id"]), minlength=len(rows)) for name, t in kept.items()}
    total = np.zeros(len(rows), dtype=np.int64)
    for a, b in combinations(kept, 2):
        agreed = _agreed(dataset, kept[a], kept[b], iou)
        total += (counts[a] - agreed) + (counts[b] - agreed)
    table = pd.DataFrame({"image_id": rows.to_numpy(), "disagreement": total, **counts})
    return table.sort_values("disagreement", ascending=False, kind="stable", ignore_index=True)


def gallery(
    dataset: DetectionDataset, models: Mapping[str, pd.DataFrame], n: int = 4, *, minimum_score: float = 0.5
) -> Figure:
    """Draw the `n` images of greatest disagreement, at most one a group: the truth, and each model's detections.

    There are fewer where the models disagree in fewer groups; where they agree on all, one image shows it.

    Args:
        models, minimum_score: as for `disagreements`.
    """
    import matplotlib.pyplot as plt

    ranked = disagreements(dataset, models, minimum_score=minimum_score)
    group = ranked["image_id"].map(dataset.images.set_index("image_id")["group"])
    differing = ranked["disagreement"] > 0
    differing.iloc[0] = True
    chosen = ranked[~group.duplicated() & differing].head(n)
    aspect = float((dataset.images["height"] / dataset.images["width"]).median())
    columns, width = 1 + len(models), 10 / (1 + len(models))
    size = columns * width, len(chosen) * (width * aspect + 0.3) + 0.3
    figure, axes = plt.subplots(len(chosen), columns, figsize=size, squeeze=False, dpi=110, layout="constrained")
    drawn = []
    for line, image_id in zip(axes, chosen["image_id"], strict=True):
        image, truth = dataset.open_image(image_id), dataset.boxes_of(image_id)
        shown = {name: t[(t["image_id"] == image_id) & (t["score"] >= minimum_score)] for name, t in models.items()}
        for axis, (name, boxes) in zip(line, {"ground truth": truth, **shown}.items(), strict=True):
            figures.show(axis, image, boxes, dataset.classes)
            axis.set_title(f"{name}: {len(boxes)}", fontsize=8)
            drawn.append(boxes[["class_id"]])
    figures.legend(figure, dataset, pd.concat(drawn))
    plt.close(figure)
    return figure


def _agreed(dataset: DetectionDataset, a: pd.DataFrame, b: pd.DataFrame, iou: float) -> np.ndarray:
    """Detections that both have, by image: those of `b` play the truth."""
    truth = b[["image_id", "class_id", *XYWH]]
    other = DetectionDataset.from_frames(dataset.images, truth, dataset.classes, name=dataset.name)
    matches = match(other, a, [iou])
    return np.bincount(matches.image[matches.hit[0]], minlength=len(dataset))
