"""Eighty signs for eighty categories: ten outlines, each with eight fillings that differ in colour and in mark.

The mark tells the signs apart where there is no colour, as in a grayscale photograph.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageColor, ImageDraw

from lab_utils.palette import COLOURS, ink

FILLINGS = (*COLOURS, "#7A4B2A")
_FINE = 3  # drawn so much larger and reduced, which smooths the edges
_TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)
Points = NDArray[np.float64]


def outline(category: int) -> Points:
    """Corners of the category's outline, [N, 2], within -1 to 1; categories count from 0."""
    return _OUTLINES[category % len(_OUTLINES)]


def draw(canvas: Image.Image, points: Points, category: int) -> None:
    """Put the category's sign on an RGB picture, its outline turned and scaled to `points` in pixels."""
    low = np.floor(points.min(axis=0)).astype(int) - 1
    size = np.ceil(points.max(axis=0)).astype(int) + 2 - low
    fine = size * _FINE
    corners = [tuple(p) for p in ((points - low) * _FINE).tolist()]
    mask = Image.new("L", tuple(fine.tolist()))
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    colour = FILLINGS[category // len(_OUTLINES) % len(FILLINGS)]
    tile = Image.new("RGB", mask.size, colour)
    dark = tuple(channel * 2 // 5 for channel in ImageColor.getrgb(colour)[:3])
    _mark(tile, category // len(_OUTLINES), ink(colour))
    pen = ImageDraw.Draw(tile)
    pen.line([*corners, corners[0]], fill=dark, width=max(int(fine.min()) // 24, 2) * 2)
    small = tuple(size.tolist())
    place = tuple(low.tolist())
    soft = mask.resize(small, Image.Resampling.BOX)
    shadow = ImageChops.offset(soft, 1, 1).point(lambda value: value * 2 // 5)
    canvas.paste((0, 0, 0), place, shadow)
    canvas.paste(tile.resize(small, Image.Resampling.BOX), place, soft)


def _mark(tile: Image.Image, kind: int, shade: str) -> None:
    """One of eight marks, on the whole of the tile."""
    pen, (width, height) = ImageDraw.Draw(tile), tile.size
    step = max(min(width, height) // 4, 5)
    middle = (width * 0.34, height * 0.34, width * 0.66, height * 0.66)
    if kind == 1:
        for x in range(step // 2, width, step):
            for y in range(step // 2, height, step):
                pen.ellipse((x - step // 4, y - step // 4, x + step // 4, y + step // 4), fill=shade)
    elif kind == 2:
        _bars(pen, width, height, step, shade, upright=False)
    elif kind == 3:
        _bars(pen, width, height, step, shade, upright=True)
    elif kind == 4:
        pen.rectangle((0, height // 2, width, height), fill=shade)
    elif kind == 5:
        pen.rectangle(middle, outline=shade, width=step // 2)
    elif kind == 6:
        for start in range(-height, width, 2 * step):
            pen.line((start, height, start + height, 0), fill=shade, width=step // 2)
    elif kind == 7:
        pen.rectangle((0, 0, width // 2, height // 2), fill=shade)
        pen.rectangle((width // 2, height // 2, width, height), fill=shade)


def _bars(pen: ImageDraw.ImageDraw, width: int, height: int, step: int, shade: str, *, upright: bool) -> None:
    for start in range(step, width if upright else height, 2 * step):
        box = (start, 0, start + step // 2, height) if upright else (0, start, width, start + step // 2)
        pen.rectangle(box, fill=shade)


def _polar(radii: object) -> Points:
    radius = np.asarray(radii, dtype=np.float64)
    angle = np.linspace(0, 2 * np.pi, len(radius), endpoint=False) - np.pi / 2
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _heart() -> Points:
    x = 16 * np.sin(_TURN) ** 3
    y = 13 * np.cos(_TURN) - 5 * np.cos(2 * _TURN) - 2 * np.cos(3 * _TURN) - np.cos(4 * _TURN)
    return np.stack([x, -y], axis=1) / 17


def _crescent() -> Points:
    outer = np.linspace(0.6, 2 * np.pi - 0.6, 28)
    inner = np.linspace(2 * np.pi - 0.9, 0.9, 28)
    bow = np.stack([np.cos(outer), np.sin(outer)], axis=1)
    hollow = np.stack([0.35 + 0.75 * np.cos(inner), 0.75 * np.sin(inner)], axis=1)
    return np.concatenate([bow, hollow])


_PLUS = [(-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1), (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1)]
_ARROW = [(0, -3), (3, 0), (1.2, 0), (1.2, 3), (-1.2, 3), (-1.2, 0), (-3, 0)]
_BOLT = [(0.5, -3), (-2, 0.5), (-0.3, 0.5), (-0.9, 3), (2, -0.7), (0.3, -0.7), (1.6, -3)]
_OUTLINES = (
    np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1),
    np.array([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
    _polar([1, 1, 1]),
    np.array([(0, -1), (0.7, 0), (0, 1), (-0.7, 0)]),
    _polar([1, 0.45] * 5),
    np.array(_PLUS) / 3,
    _heart(),
    np.array(_ARROW) / 3,
    _crescent(),
    np.array(_BOLT) / 3,
)
