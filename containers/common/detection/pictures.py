"""A record's picture, kept in memory, and its boxes as arrays."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sagemaker_contract import UserError

from .decoding import decode


class PictureCache:
    """Decoded pictures (RGB) kept in memory up to `limit` bytes; later ones are read each time."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._pictures: dict[str, Image.Image] = {}

    def open(self, record: dict[str, Any]) -> Image.Image:
        """The record's picture. Raises UserError when it cannot be read or is not as large as the manifest says."""
        name = where(record)
        if name in self._pictures:
            return self._pictures[name]
        picture = _read(record)
        if picture.size != (record["width"], record["height"]):
            size = f"{record['width']}x{record['height']}"
            raise UserError(f"{name}: {picture.width}x{picture.height} pixels, the manifest says {size}")
        cost = picture.width * picture.height * 3
        if cost <= self._left:
            self._left -= cost
            self._pictures[name] = picture
        return picture


def boxes_of(record: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [N, 4] xyxy in pixels and class ids [N]."""
    boxes = np.array([box["bbox"] for box in record["annotations"]], float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes, np.array([box["category_id"] for box in record["annotations"]], np.int64)


def where(record: dict[str, Any]) -> str:
    """What to call the record's picture: its file, or what `where` says of one inside a file."""
    return record.get("where") or record["file_name"]


def encoded(record: dict[str, Any]) -> Path | bytes:
    """The file of the record's picture, or the bytes of one at `span` = offset and length inside its file."""
    path = Path(record["file_name"])
    if "span" not in record:
        return path
    offset, length = record["span"]
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _read(record: dict[str, Any]) -> Image.Image:
    try:
        return decode(encoded(record))
    except UserError as error:
        raise UserError(f"{where(record)}: {error}") from error
