"""Pictures from files to what detectron2's models take: decoding, resizing, augmentation, boxes."""

from typing import Any

import numpy as np
import torch
from detection.augment import Augmentation, augment, resized
from detection.pictures import PictureCache, boxes_of
from detectron2.structures import Boxes, Instances
from PIL import Image


class Mapper:
    """Turns a record into a model's input; with an augmentation for training, without for validation."""

    def __init__(self, shortest: int, longest: int, cache: PictureCache, how: Augmentation | None = None) -> None:
        self._limits = (shortest, longest)
        self._cache = cache
        self._how = how
        self._rng: np.random.Generator | None = None

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        picture = self._cache.open(record)
        boxes, classes = boxes_of(record)
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


def _instances(picture: Image.Image, boxes: np.ndarray, classes: np.ndarray) -> Instances:
    instances = Instances((picture.height, picture.width))
    instances.gt_boxes = Boxes(torch.as_tensor(boxes, dtype=torch.float32))
    instances.gt_classes = torch.as_tensor(classes)
    return instances
