"""Resizing and augmentation of a picture and its boxes (xyxy, pixels), with Pillow and NumPy alone."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

GREY = (124, 116, 104)  # ImageNet's mean colour: what a padded border is filled with


@dataclass(frozen=True)
class Augmentation:
    """How much a training picture is changed.

    `flip`: none, horizontal, vertical or both. `scale`: largest zoom in or out, 1 = none.
    `crop`: side in pixels of the square part that is shown of the resized picture, 0 = all of it.
    `colour`: largest relative change of brightness, contrast and saturation, 0 = none.
    """

    flip: str = "none"
    scale: float = 1.25
    crop: int = 0
    colour: float = 0.2
    focus: float = 0.8  # chance that a crop shows a box
    smallest_visible: float = 0.5  # a box cut to less than this share of its area is dropped
    tries: int = 10  # to crop without cutting a box


def resized(width: int, height: int, shortest: int, longest: int) -> tuple[int, int]:
    """Width and height after the shorter side became `shortest`, unless the longer would pass `longest`."""
    scale = min(shortest / min(width, height), longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def fitted_crop(sides: np.ndarray, class_ids: np.ndarray, smallest: int = 160, step: int = 32) -> int:
    """Side of the square in which nine of ten boxes of every class fit, a multiple of the coarsest stride `step`.

    Args: `sides` [N, 2] box widths and heights in resized pixels; `class_ids` [N].
    """
    longest = sides.max(axis=1)
    needed = [np.quantile(longest[class_ids == class_id], 0.9) for class_id in np.unique(class_ids)]
    return max(smallest, math.ceil(max(needed) / step) * step)


def augment(
    picture: Image.Image, boxes: np.ndarray, size: tuple[int, int], how: Augmentation, rng: np.random.Generator
) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """Draw one augmented version of `picture`, as it would be resized to `size` = (width, height) in pixels.

    Args: `boxes` [N, 4] xyxy in the picture's pixels. Returns the new picture, the boxes that stay
    visible [M, 4] in its pixels, and their indices [M].
    """
    canvas = tuple(min(side, how.crop or side) for side in size)
    factor = np.array(size) / picture.size * np.exp(rng.uniform(-1, 1) * np.log(how.scale))
    shift = draw_shift(boxes * np.tile(factor, 2), np.array(picture.size) * factor, canvas, how, rng)
    picture, boxes = moved(picture, boxes, canvas, factor, shift)
    boxes, kept = visible(boxes, canvas, how.smallest_visible)
    for axis, mirror in enumerate((Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM)):
        if how.flip in (("horizontal", "vertical")[axis], "both") and rng.random() < 0.5:
            picture, boxes = picture.transpose(mirror), flipped(boxes, axis, canvas[axis])
    return recoloured(picture, how.colour, rng), boxes, kept


def draw_shift(
    boxes: np.ndarray, whole: np.ndarray, canvas: tuple[int, int], how: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """Where on the canvas the corner of a picture of size `whole` [2] lies, [2] in pixels, negative when cropped.

    With the chance `how.focus` one of the boxes is inside the canvas, anywhere in it. Where a few tries allow it, no
    box is cut (one that does not fit is left out): a part of a signal can look like a whole one of another class.
    """
    for _ in range(how.tries):
        shift = _draw_shift(boxes, whole, canvas, how.focus, rng)
        if not cut(boxes + np.tile(shift, 2), canvas).any():
            break
    return shift


def _draw_shift(
    boxes: np.ndarray, whole: np.ndarray, canvas: tuple[int, int], focus: float, rng: np.random.Generator
) -> np.ndarray:
    spare = np.array(canvas) - whole
    shift = np.minimum(spare, 0) + np.abs(spare) * rng.random(2)
    if len(boxes) and rng.random() < focus:
        box = boxes[rng.integers(len(boxes))]
        ends = np.stack([-box[:2], np.array(canvas) - box[2:]])
        wanted = ends.min(axis=0) + np.abs(ends[1] - ends[0]) * rng.random(2)
        shift = np.clip(wanted, np.minimum(spare, 0), np.maximum(spare, 0))
    return shift


def moved(
    picture: Image.Image, boxes: np.ndarray, canvas: tuple[int, int], factor: np.ndarray, shift: np.ndarray
) -> tuple[Image.Image, np.ndarray]:
    """Scale picture and boxes by `factor` [2], then move them by `shift` [2] on a grey canvas (width, height)."""
    source = np.array(picture.size)
    start = np.clip(shift.round(), 0, canvas).astype(int)
    end = np.clip((source * factor + shift).round(), start + 1, canvas).astype(int)
    window = np.clip(np.concatenate([start - shift, end - shift]) / np.tile(factor, 2), 0, np.tile(source, 2))
    part = picture.resize(tuple((end - start).tolist()), Image.Resampling.BILINEAR, box=tuple(window.tolist()))
    if part.size != tuple(canvas):
        whole = Image.new("RGB", canvas, GREY)
        whole.paste(part, tuple(start.tolist()))
        part = whole
    return part, boxes * np.tile(factor, 2) + np.tile(shift, 2)


def cut(boxes: np.ndarray, size: tuple[int, int], least: float = 0.9) -> np.ndarray:
    """Of which boxes a part, but less than the share `least` of their area, is inside the picture: bool [N]."""
    clipped = np.clip(boxes, 0, np.tile(size, 2))
    inside, whole = ((box[:, 2:] - box[:, :2]).prod(axis=1) for box in (clipped, boxes))
    return (inside > 0) & (inside < least * whole)


def visible(boxes: np.ndarray, size: tuple[int, int], smallest: float) -> tuple[np.ndarray, np.ndarray]:
    """Clip boxes to the picture; returns those of which at least the share `smallest` remains, and their indices."""
    clipped = np.clip(boxes, 0, np.tile(size, 2))
    before = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-9)
    sides = clipped[:, 2:] - clipped[:, :2]
    kept = np.flatnonzero((sides >= 1).all(axis=1) & (sides.prod(axis=1) >= smallest * before))
    return clipped[kept], kept


def flipped(boxes: np.ndarray, axis: int, side: int) -> np.ndarray:
    """Mirror boxes along x (axis 0) or y (axis 1) in a picture whose side there is `side`."""
    mirrored = boxes.copy()
    mirrored[:, axis], mirrored[:, axis + 2] = side - boxes[:, axis + 2], side - boxes[:, axis]
    return mirrored


def recoloured(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Brightness, contrast and saturation each changed by a random factor within 1 +- `amount`."""
    if amount:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            picture = enhance(picture).enhance(rng.uniform(1 - amount, 1 + amount))
    return picture
