"""Resizing and augmentation of a picture and its boxes (xyxy, pixels), with Pillow and NumPy alone."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

GREY = (124, 116, 104)  # ImageNet's mean colour: what a padded border is filled with


@dataclass(frozen=True)
class Augmentation:
    """How much a training picture is changed.

    `flip`: none, horizontal, vertical or both. `scale`: largest zoom in or out, 1 = none.
    `colour`: largest relative change of brightness, contrast and saturation, 0 = none.
    """

    flip: str = "none"
    scale: float = 1.25
    colour: float = 0.2
    smallest_visible: float = 0.3  # a box cut to less than this share of its area is dropped


def resized(width: int, height: int, shortest: int, longest: int) -> tuple[int, int]:
    """Width and height after the shorter side became `shortest`, unless the longer would pass `longest`."""
    scale = min(shortest / min(width, height), longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def augment(
    picture: Image.Image, boxes: np.ndarray, size: tuple[int, int], how: Augmentation, rng: np.random.Generator
) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """Draw one augmented version of `picture`, `size` = (width, height) in pixels.

    Args: `boxes` [N, 4] xyxy in the picture's pixels. Returns the new picture, the boxes that stay
    visible [M, 4] in its pixels, and their indices [M].
    """
    zoom = float(np.exp(rng.uniform(-1, 1) * np.log(how.scale)))
    picture, boxes = zoomed(picture, boxes, size, zoom, rng.random(2))
    boxes, kept = visible(boxes, size, how.smallest_visible)
    for axis, mirror in enumerate((Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM)):
        if how.flip in (("horizontal", "vertical")[axis], "both") and rng.random() < 0.5:
            picture, boxes = picture.transpose(mirror), flipped(boxes, axis, size[axis])
    return recoloured(picture, how.colour, rng), boxes, kept


def zoomed(
    picture: Image.Image, boxes: np.ndarray, size: tuple[int, int], zoom: float, place: np.ndarray
) -> tuple[Image.Image, np.ndarray]:
    """Zoom by `zoom` into a canvas of `size`; `place` [2] in 0..1 says where the window or the picture lies."""
    source, canvas = np.array(picture.size, float), np.array(size, float)
    factor = canvas / source * zoom
    spare = canvas - source * factor  # negative: the window hides that much
    shift = spare * place
    if zoom >= 1:
        window = np.concatenate([-shift, canvas - shift]) / np.tile(factor, 2)
        window = np.clip(window, 0, np.tile(source, 2))
        changed = picture.resize(size, Image.Resampling.BILINEAR, box=tuple(window))
    else:
        shift = shift.round()
        inner = tuple(int(side) for side in (source * factor).round())
        factor = np.array(inner) / source
        changed = Image.new("RGB", size, GREY)
        changed.paste(picture.resize(inner, Image.Resampling.BILINEAR), tuple(int(s) for s in shift))
    return changed, boxes * np.tile(factor, 2) + np.tile(shift, 2)


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
