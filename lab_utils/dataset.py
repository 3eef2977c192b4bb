"""The one data model: an images table, a boxes table and class names. Readers and writers convert at the edge."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lab_utils.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

IMAGE_COLUMNS = {"image_id": "int64", "file_name": "str", "width": "int64", "height": "int64"}
IMAGE_DEFAULTS = {"group": "str", "split": "str"}
BOX_COLUMNS = {
    "image_id": "int64",
    "class_id": "int64",
    "xmin": "float64",
    "ymin": "float64",
    "width": "float64",
    "height": "float64",
}
BOX_DEFAULTS = {"difficult": "bool", "crowd": "bool"}
XYWH = ["xmin", "ymin", "width", "height"]
SPLITS = ("training", "validation", "test")


@dataclass(frozen=True, eq=False)
class DetectionDataset:
    """Images with boxes. Build one with `from_frames`, which fills in and checks the columns.

    Attributes:
        images: `image_id` (int64, unique), `file_name` (POSIX path below `root`), `width`, `height` (int64, pixels),
            `group` (sequence, track or clip; what a split never cuts), `split` (the source's own split: "training",
            "validation", "test" or ""). Further columns are kept; `source` names the annotation file.
        boxes: `image_id`, `class_id` (int64), `xmin`, `ymin`, `width`, `height` (float64, pixels, origin at the top
            left of the pixels as stored), `difficult`, `crowd` (bool). Further columns are kept; `source_row` is the
            annotation's place in its file, counted from 1.
        classes: class names; `class_id` is the index.
        root: folder of the image files.
        name: what to call the data set.
        category_ids: the source's own ids of `classes`, where they are not 0, 1, 2, ...
    """

    images: pd.DataFrame
    boxes: pd.DataFrame
    classes: tuple[str, ...]
    root: Path = Path()
    name: str = "dataset"
    category_ids: tuple[int, ...] = ()

    @classmethod
    def from_frames(
        cls,
        images: pd.DataFrame,
        boxes: pd.DataFrame,
        classes: Iterable[str],
        *,
        root: str | Path = ".",
        name: str = "dataset",
        category_ids: Iterable[int] = (),
    ) -> DetectionDataset:
        """Bring two tables to the model's columns and types.

        An image without a `group` is a group of its own; flags that are missing are False. What the values say is
        `validation.validate`'s business: ids, boxes and sizes are taken as they are.

        Raises:
            DataError: a column is missing or cannot be converted.
        """
        images = _typed(images, "images", IMAGE_COLUMNS, IMAGE_DEFAULTS)
        images["group"] = images["group"].where(images["group"] != "", images["file_name"])
        boxes = _typed(boxes, "boxes", BOX_COLUMNS, BOX_DEFAULTS)
        return cls(images, boxes, tuple(classes), Path(root), name, tuple(category_ids))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} images, {len(self.boxes)} boxes, {len(self.classes)} classes>"

    @property
    def has_groups(self) -> bool:
        """Whether any group holds more than one image."""
        return bool(self.images["group"].duplicated().any())

    @cached_property
    def _image_rows(self) -> dict[int, int]:
        return {image_id: row for row, image_id in enumerate(self.images["image_id"].tolist())}

    @cached_property
    def _box_rows(self) -> Mapping[int, np.ndarray]:
        return self.boxes.groupby("image_id").indices  # type: ignore[return-value]

    def image(self, image_id: int) -> pd.Series:
        """The image's row of `images`.

        Raises:
            DataError: no such image.
        """
        if image_id not in self._image_rows:
            raise DataError(f"{self.name}: no image with image_id {image_id}")
        return self.images.iloc[self._image_rows[image_id]]

    def image_path(self, image_id: int) -> Path:
        """Where the image file is."""
        return self.root / self.image(image_id)["file_name"]

    def open_image(self, image_id: int) -> Image.Image:
        """The image as 8-bit RGB, in the orientation it is stored in (see `lab_utils.pixels`)."""
        from lab_utils.pixels import open_rgb

        return open_rgb(self.image_path(image_id))

    def boxes_of(self, image_id: int) -> pd.DataFrame:
        """The image's rows of `boxes`, in their order; none for a negative."""
        return self.boxes.iloc[self._box_rows.get(image_id, [])]

    def class_counts(self) -> pd.Series:
        """Number of boxes of each class, 0 included; index = class name, in the order of `classes`."""
        counts = self.boxes["class_id"].value_counts().reindex(range(len(self.classes)), fill_value=0)
        return pd.Series(counts.to_numpy(), index=pd.Index(self.classes, name="class"), name="boxes")

    def subset(self, image_ids: Iterable[int]) -> DetectionDataset:
        """The images of these ids and their boxes, in the data set's own order.

        Raises:
            DataError: an id is not in the data set.
        """
        wanted = pd.Index(list(image_ids), dtype="int64")
        unknown = wanted.difference(pd.Index(self.images["image_id"]))
        if len(unknown):
            raise DataError(f"{self.name}: no image with image_id {unknown[0]}")
        return self.where(self.images["image_id"].isin(wanted))

    def where(self, images: pd.Series) -> DetectionDataset:
        """The images that a boolean Series over `images` selects, and their boxes."""
        chosen = self.images[images].reset_index(drop=True)
        boxes = self.boxes[self.boxes["image_id"].isin(chosen["image_id"])].reset_index(drop=True)
        return replace(self, images=chosen, boxes=boxes)

    def only_classes(self, names: Iterable[str]) -> DetectionDataset:
        """All images, with the boxes of these classes, numbered from 0 in the order of `names`.

        Images that show none of them stay, as negatives.

        Raises:
            DataError: the data set has no class of that name.
        """
        names = list(names)
        if unknown := [name for name in names if name not in self.classes]:
            raise DataError(f"{self.name}: no class {unknown[0]!r}; there are {', '.join(self.classes)}")
        number = {self.classes.index(name): i for i, name in enumerate(names)}
        boxes = self.boxes[self.boxes["class_id"].isin(number)].reset_index(drop=True)
        boxes["class_id"] = boxes["class_id"].map(number)
        return replace(self, boxes=boxes, classes=tuple(names), category_ids=())

    def without_crowd(self) -> DetectionDataset:
        """Without the crowd regions, which cover many objects: for training algorithms that cannot tell them apart."""
        return replace(self, boxes=self.boxes[~self.boxes["crowd"]].reset_index(drop=True))

    def filter_resolution(self, width: int, height: int) -> DetectionDataset:
        """The images of exactly this size in pixels.

        Raises:
            DataError: there is none; the message lists the sizes there are.
        """
        chosen = (self.images["width"] == width) & (self.images["height"] == height)
        if not chosen.any():
            sizes = sorted(set(zip(self.images["width"], self.images["height"], strict=True)))
            there = ", ".join(f"{w}x{h}" for w, h in sizes[:10])
            raise DataError(f"{self.name}: no image of {width}x{height} pixels; there are {there}")
        return self.where(chosen)

    def same_content(self, other: DetectionDataset) -> bool:
        """Whether both hold the same images (by name and size), boxes and classes, whatever their ids and order."""
        return self.classes == other.classes and self._content() == other._content()

    def _content(self) -> set[tuple[Hashable, ...]]:
        columns = ["file_name", "width_image", "height_image", "class_id", *XYWH, *BOX_DEFAULTS]
        table = self.images.merge(self.boxes, how="left", on="image_id", suffixes=("_image", ""))[columns]
        table["copy"] = table.groupby(columns, dropna=False).cumcount()
        return set(table.astype(object).where(table.notna(), None).itertuples(index=False, name=None))


def _typed(frame: pd.DataFrame, what: str, required: Mapping[str, str], defaults: Mapping[str, str]) -> pd.DataFrame:
    missing = [column for column in required if column not in frame]
    if missing:
        raise DataError(f"{what}: no column {missing[0]!r}; expected {', '.join(required)}")
    frame = frame.reset_index(drop=True)
    for column, kind in {**required, **defaults}.items():
        values = frame[column] if column in frame else pd.Series(np.nan, index=frame.index, dtype=object)
        frame[column] = _converted(values, kind, f"{what}, column {column!r}")
    return frame[[*required, *defaults, *(c for c in frame if c not in required and c not in defaults)]]


def _converted(values: pd.Series, kind: str, where: str) -> pd.Series:
    if kind == "str":
        return values.astype(object).where(values.notna(), "").astype(str)
    if kind == "bool":
        return values.astype(object).where(values.notna(), False).astype(bool)
    try:
        numbers = values.astype("float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {error}; expected {kind}") from None
    if kind == "int64":
        bad = (numbers % 1 != 0).to_numpy()  # also where the value is missing
        if bad.any():
            raise DataError(f"{where}, row {bad.argmax()}: {values.iloc[bad.argmax()]}; expected an integer")
        return values.astype("int64")
    return numbers
