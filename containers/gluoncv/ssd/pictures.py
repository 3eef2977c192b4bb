"""Pictures and boxes to the arrays that a network takes, and its boxes back to the picture's pixels."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from detection.augment import GREY, Augmentation, augment, resized
from detection.pictures import PictureCache, boxes_of
from PIL import Image

MEAN, STD = np.array([123.675, 116.28, 103.53], np.float32), np.array([58.395, 57.12, 57.375], np.float32)


@dataclass(frozen=True)
class LetterBox:
    """Pictures are resized in proportion to fit `longest` pixels (and `shortest`, unless the longer side says less),
    then padded with grey at the right and below to sides that `multiple` divides.

    With `squash` they become squares of `longest` pixels whatever their proportions, as for SageMaker's built-in
    algorithm.
    """

    shortest: int
    longest: int
    multiple: int
    squash: bool = False

    def scaled(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the resized picture."""
        if self.squash:
            return self.longest, self.longest
        return resized(width, height, self.shortest, self.longest)

    def canvas(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height with the padding."""
        return tuple(math.ceil(side / self.multiple) * self.multiple for side in size)

    def apply(self, picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        """The network's input [3, H, W] and the scale [2] (x, y) from the picture's pixels to the input's."""
        size = self.scaled(*picture.size)
        canvas = Image.new("RGB", self.canvas(size), GREY)
        canvas.paste(picture.resize(size, Image.Resampling.BILINEAR))
        return normalised(canvas), np.array(size) / picture.size


def normalised(picture: Image.Image) -> np.ndarray:
    """RGB to float32 [3, H, W] with ImageNet's mean and deviation."""
    return ((np.asarray(picture, np.float32) - MEAN) / STD).transpose(2, 0, 1)


def to_picture(boxes: np.ndarray, scale: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes [N, 4] xyxy of the input in the pixels of the picture of `size`, clipped to it."""
    return np.clip(boxes / np.tile(scale, 2), 0, np.tile(size, 2))


class TrainingPictures:
    """Draws an augmented training example of a record."""

    def __init__(self, box: LetterBox, cache: PictureCache, how: Augmentation) -> None:
        self._box, self._cache, self._how = box, cache, how

    def draw(self, record: dict[str, Any], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Input [3, H, W] and labels [N, 5] xyxy in its pixels and class id."""
        picture = self._cache.open(record)
        boxes, class_ids = boxes_of(record)
        size = self._box.scaled(*picture.size)
        picture, boxes, kept = augment(picture, boxes, size, self._how, rng)
        canvas = self._box.canvas(picture.size)
        if canvas != picture.size:
            padded = Image.new("RGB", canvas, GREY)
            padded.paste(picture)
            picture = padded
        return normalised(picture), np.concatenate([boxes, class_ids[kept, None]], axis=1)
