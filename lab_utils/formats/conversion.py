"""What the formats of SageMaker's built-in object detection share: what can go in, and an account of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError

CROWD = ("drop", "keep")


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Attributes:
        images: number of images: the algorithm's hyperparameter `num_training_samples`.
        boxes: number of boxes.
        negatives: images without a box, which are written, too.
        crowd: crowd regions left out: each covers many objects, and the format cannot say so.
        clipped: boxes cut off at the edge of their image.
        label_width: the least value of the hyperparameter `label_width` that takes every label.
    """

    images: int
    boxes: int
    negatives: int
    crowd: int
    clipped: int
    label_width: int

    def __str__(self) -> str:
        told = [f"{self.images:,} images with {self.boxes:,} boxes; label_width >= {self.label_width}"]
        told += [f"{self.negatives:,} images without boxes kept as negatives"] * bool(self.negatives)
        told += [f"{self.crowd:,} crowd regions left out, for the format cannot mark them"] * bool(self.crowd)
        told += [f"{self.clipped:,} boxes cut off at the edge of their image"] * bool(self.clipped)
        return "; ".join(told)


def prepared(dataset: DetectionDataset, crowd: str = "drop", object_width: int = 5) -> tuple[pd.DataFrame, Conversion]:
    """The boxes to write, in the order of `dataset.boxes`, and the account.

    Args:
        crowd: "drop" crowd regions, or "keep" them as ordinary objects.
        object_width: values of an object in a label.

    Raises:
        ConfigError: another value of `crowd`.
        DataError: a box has no area, or no image, or its class no name; the message names it and the fix.
    """
    if crowd not in CROWD:
        raise ConfigError(f"crowd={crowd!r}: expected one of {', '.join(CROWD)}")
    boxes = dataset.boxes if crowd == "keep" else dataset.boxes[~dataset.boxes["crowd"]]
    _check_ids(dataset, boxes)
    kept, clipped = _clipped(dataset, boxes)
    per_image = kept["image_id"].value_counts()
    return kept, Conversion(
        images=len(dataset),
        boxes=len(kept),
        negatives=len(dataset) - len(per_image),
        crowd=len(dataset.boxes) - len(boxes),
        clipped=clipped,
        label_width=2 + object_width * int(per_image.max() if len(per_image) else 1),
    )


def successive(ids: list[int], where: str) -> None:
    """Refuse class ids that are not 0, 1, 2, ... without a gap.

    Raises:
        DataError: the message names the first id missing and the fix.
    """
    used = set(ids)
    missing = next((i for i in range(max(used, default=-1) + 1) if i not in used), None)
    if missing is not None:
        fix = "number the classes 0, 1, 2, ..., or name them all with classes= if this part has none of it"
        raise DataError(f"{where}: class ids go up to {max(used)}, but no object has {missing}; {fix}")


def _check_ids(dataset: DetectionDataset, boxes: pd.DataFrame) -> None:
    orphan = ~boxes["image_id"].isin(dataset.images["image_id"])
    nameless = ~boxes["class_id"].between(0, len(dataset.classes) - 1)
    for bad, what in ((orphan, "image_id"), (nameless, "class_id")):
        if bad.any():
            row = boxes.index[bad][0]
            expected = "an image of the data set" if what == "image_id" else f"0 to {len(dataset.classes) - 1}"
            raise DataError(f"{dataset.name}: box {row}: {what} is {boxes.loc[row, what]}; expected {expected}")


def _clipped(dataset: DetectionDataset, boxes: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The boxes within their images, with `image_row`, `image_width` and `image_height`; and how many were cut."""
    rows = pd.Index(dataset.images["image_id"]).get_indexer(boxes["image_id"])
    sizes = dataset.images[["width", "height"]].to_numpy(dtype=np.float64)[rows]
    values = boxes[XYWH].to_numpy()
    low = np.clip(values[:, :2], 0, sizes)
    high = np.clip(values[:, :2] + values[:, 2:], 0, sizes)
    inside = (values[:, :2] >= 0) & (values[:, :2] + values[:, 2:] <= sizes + 1e-6)  # a sum may be a hair over
    flat = ~(high > low).all(axis=1)
    if flat.any():
        row = int(flat.argmax())
        image = dataset.images.iloc[rows[row]]
        found = f"{values[row].round(3).tolist()} in {image['file_name']} ({image['width']} x {image['height']})"
        fix = "no area; drop such boxes with validation.drop_invalid"
        raise DataError(f"{dataset.name}: box {boxes.index[row]}: {found}: {fix}")
    cut = ~inside.all(axis=1)
    size = np.where(inside, values[:, 2:], high - low)  # exact where nothing was cut
    kept = boxes.assign(image_row=rows, image_width=sizes[:, 0], image_height=sizes[:, 1])
    kept[XYWH] = np.hstack([low, size])
    return kept, int(cut.sum())
