"""The features of a record as TFOD's decoder knows them (tf_example_decoder.py): an image's and its objects'.

`image/encoded`, `format` ("jpeg", "png"), `height`, `width`, `filename`, `source_id`, `key/sha256`; `image/object/`:
`bbox/{xmin,xmax,ymin,ymax}` as ratios of the image's size, `class/text`, `class/label` from 1, `difficult`, `is_crowd`
and, where known, `area` in pixels. `image/group`, the sequence that an image is of, is this project's: TFOD passes over
it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab_utils.dataset import XYWH
from lab_utils.errors import DataError
from lab_utils.formats import record_label
from lab_utils.formats.record_image import image_header
from lab_utils.tfod.example import Feature
from lab_utils.tfod.label_map import Item
from lab_utils.tfod.pictures import Picture

_OBJECT = "image/object/"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_FLAGS = {"difficult": "difficult", "crowd": "is_crowd"}
_KINDS: dict[type, str] = {bytes: "S", float: "f", int: "i"}


def columns(boxes: pd.DataFrame, classes: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The objects' features of all `boxes`, as `conversion.prepared` gives them; key -> one value a box."""
    low, size = boxes[XYWH[:2]].to_numpy(), boxes[["image_width", "image_height"]].to_numpy()
    corners = np.hstack([low, low + boxes[XYWH[2:]].to_numpy()]) / np.tile(size, 2)
    found = {f"{_OBJECT}bbox/{side}": np.minimum(corners[:, i], 1).astype(np.float32) for i, side in enumerate(_SIDES)}
    ids = boxes["class_id"].to_numpy()
    found[f"{_OBJECT}class/label"] = ids + 1
    found[f"{_OBJECT}class/text"] = np.array([name.encode() for name in classes] or [b""], dtype=object)[ids]
    for column, key in _FLAGS.items():
        found[_OBJECT + key] = boxes[column].to_numpy().astype(np.int64)
    if "area" in boxes and boxes["area"].notna().all():
        found[f"{_OBJECT}area"] = boxes["area"].to_numpy().astype(np.float32)
    return found


def of_image(image: Mapping[str, Any], picture: Picture, objects: Mapping[str, NDArray[Any]]) -> dict[str, Feature]:
    """All features of a record.

    Args:
        image: row of `DetectionDataset.images`.
        objects: its objects' part of `columns`.
    """
    name, width, height = image["file_name"], *picture.size
    text = {"format": picture.format, "filename": name, "source_id": str(image["image_id"])}
    text |= {"group": image["group"]} if image["group"] != name else {}
    text["key/sha256"] = hashlib.sha256(picture.content).hexdigest()
    found: dict[str, Feature] = {f"image/{key}": [value.encode()] for key, value in text.items()}
    found["image/encoded"] = [picture.content]
    found |= {"image/width": np.array([width]), "image/height": np.array([height])}
    return found | {key: values.tolist() if values.dtype == object else values for key, values in objects.items()}


@dataclass(frozen=True)
class Objects:
    """The objects of one record.

    Attributes:
        corners: xmin, ymin, xmax, ymax as ratios, float64 [N, 4].
        texts: class names; empty where the record has none.
        labels: class ids, from 1, int64 [N]; 0 where the record has none.
        flags: `difficult` and `crowd`, bool [N], and `area`, float32 [N], where the record has it.
        where: the record's place, for messages.
    """

    corners: NDArray[np.float64]
    texts: list[str]
    labels: NDArray[np.int64]
    flags: dict[str, NDArray[Any]]
    where: str

    def table(self, image: Mapping[str, Any], items: Sequence[Item]) -> pd.DataFrame:
        """The rows of `DetectionDataset.boxes`.

        Raises:
            DataError: a class is not among `items`.
        """
        index = {item.id: i for i, item in enumerate(items)}
        named = {item.display_name: i for i, item in enumerate(items)} | {item.name: i for i, item in enumerate(items)}
        ids = []
        for row, (text, label) in enumerate(zip(self.texts, self.labels.tolist(), strict=True), start=1):
            class_id = named.get(text) if text else index.get(label)
            if class_id is None:
                known = ", ".join(f"{item.id} {item.name}" for item in items)
                raise DataError(f"{self.where}: object {row}: class {text or label!r} is not in the label map: {known}")
            ids.append(class_id)
        size = np.array([image["width"], image["height"]])
        low, high = self.corners[:, :2] * size, self.corners[:, 2:] * size
        table = pd.DataFrame(np.hstack([low, high - low]), columns=XYWH)
        rows = np.arange(1, len(ids) + 1)
        return table.assign(image_id=image["image_id"], class_id=ids, source_row=rows, **self.flags)


def parse(record: Mapping[str, Feature], where: str, number: int) -> tuple[dict[str, Any], bytes, Objects]:
    """The image's row (with `source_id` in place of an id), the bytes of its file, and its objects.

    Args:
        number: what to call an image without a name.

    Raises:
        DataError: a feature is missing, of another kind or length than expected, or no ratio, or the name leads out of
            the images' folder.
    """
    encoded = _list(record, "image/encoded", bytes, where)
    if len(encoded) != 1:
        raise DataError(f"{where}: {len(encoded)} values of 'image/encoded'; expected the bytes of one image")
    size, suffix = image_header(encoded[0], where)
    text = {key: _text(record, f"image/{key}", where) for key in ("filename", "source_id", "group")}
    name = text["filename"] or f"{number:08d}{suffix}"
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise DataError(f"{where}: image/filename is {name!r}; expected a path within the images' folder")
    image = {"file_name": name, "width": size[0], "height": size[1]}
    image |= {"group": text["group"], "source_id": text["source_id"]}
    return image, encoded[0], _objects(record, where)


def classes(found: Sequence[Objects]) -> tuple[Item, ...]:
    """The classes that occur, for records without a label map: by id, and called by their text if they have one.

    Raises:
        DataError: a text has two ids, or an id two texts.
    """
    names: dict[int, str] = {}
    ids: dict[str, int] = {}
    for objects in found:
        for text, label in zip(objects.texts, objects.labels.tolist(), strict=True):
            name = text or f"class {label}"
            if names.setdefault(label, name) != name or ids.setdefault(name, label) != label:
                before = f"{names[label]!r} for {label}" if names[label] != name else f"{name!r} for {ids[name]}"
                raise DataError(f"{objects.where}: class {name!r} has id {label}, but {before} before: add a label map")
    return tuple(Item(id_, names[id_]) for id_ in sorted(names))


def _objects(record: Mapping[str, Feature], where: str) -> Objects:
    sides = [_list(record, f"{_OBJECT}bbox/{side}", float, where) for side in _SIDES]
    count = len(sides[0])
    texts = [_decoded(t, f"{_OBJECT}class/text", where) for t in _list(record, f"{_OBJECT}class/text", bytes, where)]
    labels = _list(record, f"{_OBJECT}class/label", int, where)
    lengths = {**{side: len(s) for side, s in zip(_SIDES, sides, strict=True)}, "class": len(texts) or len(labels)}
    lengths |= {"class/label": len(labels)} if len(labels) else {}
    if set(lengths.values()) > {count}:
        raise DataError(f"{where}: image/object has {lengths}; expected as many of each")
    corners = np.array(sides, dtype=np.float64).T.reshape(-1, 4)
    record_label.check(np.hstack([np.zeros((count, 1)), corners]), where)
    ids = np.asarray(labels if len(labels) else np.zeros(count), dtype=np.int64)
    return Objects(corners, texts or [""] * count, ids, _flags(record, count, where), where)


def _flags(record: Mapping[str, Feature], count: int, where: str) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for column, key in {**_FLAGS, "area": "area"}.items():
        values = _list(record, _OBJECT + key, float if column == "area" else int, where)
        if len(values) not in (0, count):
            raise DataError(f"{where}: {len(values)} values of {_OBJECT + key!r} for {count} objects")
        if column != "area":
            found[column] = np.asarray(values if len(values) else np.zeros(count)).astype(bool)
        elif count and len(values):
            found[column] = np.asarray(values)
    return found


def _list(record: Mapping[str, Feature], key: str, kind: type, where: str) -> Any:
    """The values of a feature; none where it is missing or empty."""
    values = record.get(key, [])
    if len(values) and (values.dtype.kind if isinstance(values, np.ndarray) else "S") != _KINDS[kind]:
        raise DataError(f"{where}: {key!r} does not hold {kind.__name__} values")
    return values


def _text(record: Mapping[str, Feature], key: str, where: str) -> str:
    values = _list(record, key, bytes, where)
    return _decoded(values[0], key, where) if len(values) else ""


def _decoded(value: bytes, key: str, where: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DataError(f"{where}: {key!r} is {value[:40]!r}; expected UTF-8") from None
