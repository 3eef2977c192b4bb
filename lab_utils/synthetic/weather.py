"""Rain and snow between the camera and the scene, and drops on the windscreen."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .atmosphere import Atmosphere, Colour

_SPARE = 96


class Precipitation:
    """Streaks or flakes of one sequence; each frame shows another piece of them."""

    def __init__(self, size: tuple[int, int], air: Atmosphere, rng: np.random.Generator) -> None:
        self.size, self.kind = size, air.weather
        level = {"day": 214, "dusk": 176, "night": 104}[air.light]
        self.colour: Colour = (level, level, min(level + 6, 255))
        self.mask = _streaks(size, rng) if self.kind == "rain" else _flakes(size, rng)
        self.drops = _drops(size, rng) if self.kind == "rain" else None

    def cover(self, picture: Image.Image, rng: np.random.Generator) -> None:
        """Draw on `picture` in place."""
        left, top = (int(v) for v in rng.integers(0, _SPARE, 2))
        mask = self.mask.crop((left, top, left + self.size[0], top + self.size[1]))
        picture.paste(self.colour, (0, 0, *self.size), mask)
        if self.drops:
            picture.paste(self.colour, (0, 0, *self.size), self.drops)


def _blank(size: tuple[int, int]) -> Image.Image:
    return Image.new("L", (size[0] + _SPARE, size[1] + _SPARE), 0)


def _streaks(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    mask = _blank(size)
    draw = ImageDraw.Draw(mask)
    slant = rng.uniform(-0.35, 0.35)
    for _ in range(int(size[0] * size[1] * rng.uniform(0.0016, 0.0032))):
        x, y = rng.uniform(0, mask.width), rng.uniform(-20, mask.height)
        length = rng.uniform(5, 26) * size[0] / 640
        draw.line((x, y, x + slant * length, y + length), fill=int(rng.integers(24, 92)), width=1)
    return mask.filter(ImageFilter.GaussianBlur(0.5))


def _flakes(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    mask = _blank(size)
    draw = ImageDraw.Draw(mask)
    for _ in range(int(size[0] * size[1] * rng.uniform(0.0012, 0.0024))):
        x, y = rng.uniform(0, mask.width), rng.uniform(0, mask.height)
        r = rng.choice((0.6, 0.6, 0.9, 1.4)) * size[0] / 640
        draw.ellipse((x - r, y - r * 1.4, x + r, y + r * 1.4), fill=int(rng.integers(90, 200)))
    return mask.filter(ImageFilter.GaussianBlur(0.7))


def _drops(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    for _ in range(int(rng.integers(14, 40))):
        x, y, r = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(1.2, 4.5)
        draw.ellipse((x - r, y - r, x + r, y + r * 1.2), fill=int(rng.integers(18, 44)))
        draw.ellipse((x - r * 0.5, y - r * 0.6, x, y), fill=80)
    return mask.filter(ImageFilter.GaussianBlur(0.9))
