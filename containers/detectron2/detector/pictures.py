"""Pictures from files to what detectron2's models take: decoding, resizing, augmentation, boxes."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from detectron2.structures import Boxes, Instances
from PIL import Image
from sagemaker_contract import UserError

from .augment import Augmentation, augment, resized
from .decoding import decode


class PictureCache:
    """Decoded pictures (RGB) kept in memory up to `limit` bytes; later ones are read each time."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._pictures: dict[str, Image.Image] = {}

    def open(self, record: dict[str, Any]) -> Image.Image:
        """The record's picture. Raises UserError when it cannot be read or is not as large as the manifest says."""
        name = record["file_name"]
        if name in self._pictures:
            return self._pictures[name]
        picture = _read(name)
        if picture.size != (record["width"], record["height"]):
            size = f"{record['width']}x{record['height']}"
            raise UserError(f"{name}: {picture.width}x{picture.height} pixels, the manifest says {size}")
        cost = picture.width * picture.height * 3
        if cost <= self._left:
            self._left -= cost
            self._pictures[name] = picture
        return picture


class Mapper:
    """Turns a record into a model's input; with an augmentation for training, without for validation."""

    def __init__(self, shortest: int, longest: int, cache: PictureCache, how: Augmentation | None = None) -> None:
        self._limits = (shortest, longest)
        self._cache = cache
        self._how = how
        self._rng: np.random.Generator | None = None

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        picture = self._cache.open(record)
        boxes, classes = _boxes(record)
        size = resized(*picture.size, *self._limits)
        if self._how:
            # torch's seed differs by worker; a generator of its own keeps the draws apart from the model's.
            self._rng = self._rng or np.random.default_rng(torch.initial_seed() % 2**63)
            picture, boxes, kept = augment(picture, boxes, size, self._how, self._rng)
            classes = classes[kept]
        else:
            boxes = boxes * np.tile(np.array(size) / picture.size, 2)
            picture = picture.resize(size, Image.Resampling.BILINEAR)
        return {
            **{key: record[key] for key in ("image_id", "width", "height")},
            "image": to_tensor(picture),
            "instances": _instances(picture, boxes, classes),
        }


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """An RGB picture as the zoo's models take it: uint8 [3, H, W], channels in the order B, G, R."""
    return torch.from_numpy(np.asarray(picture)[:, :, ::-1].transpose(2, 0, 1).copy())


def _read(name: str) -> Image.Image:
    try:
        return decode(Path(name))
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def _boxes(record: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [N, 4] xyxy in pixels and class ids [N]."""
    boxes = np.array([box["bbox"] for box in record["annotations"]], float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes, np.array([box["category_id"] for box in record["annotations"]], np.int64)


def _instances(picture: Image.Image, boxes: np.ndarray, classes: np.ndarray) -> Instances:
    instances = Instances((picture.height, picture.width))
    instances.gt_boxes = Boxes(torch.as_tensor(boxes, dtype=torch.float32))
    instances.gt_classes = torch.as_tensor(classes)
    return instances
