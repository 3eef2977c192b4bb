"""Trees and bushes: textured cut-outs, painted once a sequence and scaled to their distance."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .atmosphere import Atmosphere
from .camera import Camera
from .noise import Field, fractal, smoothstep

SIZE = 160
Box = tuple[float, float, float, float]
_LEAVES = (
    (70, 98, 44),
    (52, 82, 40),
    (92, 112, 48),
    (46, 70, 50),
    (150, 112, 44),
    (128, 84, 42),
    (104, 96, 66),
)


def paint_tree(rng: np.random.Generator, conifer: bool) -> Image.Image:
    """RGBA picture of one tree in plain daylight, its foot at the bottom centre."""
    v, u = np.mgrid[:SIZE, :SIZE].astype(np.float32) / SIZE
    shape = _cone(rng, u, v) if conifer else _crown(rng, u, v)
    ragged = fractal(rng, SIZE, SIZE, (12, 12), octaves=4)
    alpha = smoothstep(0.42, 0.55, shape * 0.75 + ragged * 0.5 - 0.12)
    trunk = (np.abs(u - 0.5) < 0.022) & (v > 0.6)
    depth = fractal(rng, SIZE, SIZE, (16, 16), octaves=3)
    light = 0.5 + 0.55 * depth + 0.35 * (0.5 - v) + 0.2 * (0.5 - u)
    colour = np.asarray(_LEAVES[rng.integers(len(_LEAVES))]) * rng.uniform(0.75, 1.1)
    rgb = colour * light[..., None]
    rgb[trunk & (alpha < 0.5)] = (58, 48, 40)
    rgba = np.dstack([rgb, np.maximum(alpha, trunk) * 255])
    return Image.fromarray(np.clip(rgba, 0, 255).astype(np.uint8), "RGBA")


def _crown(rng: np.random.Generator, u: Field, v: Field) -> Field:
    total = np.zeros_like(u)
    for _ in range(9):
        x, y = rng.uniform(0.26, 0.74), rng.uniform(0.3, 0.72)
        radius = rng.uniform(0.14, 0.24)
        total = np.maximum(total, 1 - np.square((u - x) / radius) * 0.5 - np.square((v - y) / radius) * 0.5)
    return np.asarray(np.clip(total, 0, 1), dtype=np.float32)


def _cone(rng: np.random.Generator, u: Field, v: Field) -> Field:
    width = rng.uniform(0.2, 0.32)
    tiers = 0.82 + 0.18 * ((v * rng.uniform(5, 8)) % 1)
    return np.asarray(np.clip(1.4 - np.abs(u - 0.5) / (v * width * tiers + 0.015), 0, 1), dtype=np.float32)


class Grove:
    """The kinds of trees of one sequence, kept lit and hazed for some distances and halved in size for the far ones."""

    def __init__(self, air: Atmosphere, rng: np.random.Generator, kinds: int = 4) -> None:
        conifers = rng.random()
        self.air = air
        self.kinds = [paint_tree(rng, conifer=rng.random() < conifers) for _ in range(kinds)]
        self._ready: dict[tuple[int, int, int], tuple[Image.Image, Image.Image]] = {}

    def picture(
        self, kind: int, height: float, size: tuple[int, int], part: Box, z: float
    ) -> tuple[Image.Image, Image.Image]:
        """Colour and mask of `part` (left, top, right, bottom as fractions) of a tree `height` pixels high.

        `size` is what the part measures in pixels; the tree is lit and hazed as at `z` metres.
        """
        halvings = min(max(int(np.log2(SIZE / height)), 0), 4)
        band = round(np.log(max(z, 2)) * 5)
        key = kind % len(self.kinds), band, halvings
        if key not in self._ready:
            self._ready[key] = self._light(self.kinds[key[0]].reduce(1 << halvings), np.exp(band / 5))
        left, top, right, bottom = (edge * (SIZE >> halvings) for edge in part)
        colour, mask = self._ready[key]
        box = (left, top, right, bottom)
        smooth = Image.Resampling.BILINEAR
        return colour.resize(size, smooth, box), mask.resize(size, smooth, box)

    def _light(self, tree: Image.Image, z: float) -> tuple[Image.Image, Image.Image]:
        haze = float(self.air.haze(z))
        ambient = np.asarray(self.air.ambient)
        gain = (ambient + 0.5 * self.air.beam(z)) * (1 - haze)
        lift = np.asarray(self.air.horizon) * haze
        if self.air.weather == "snow":
            gain, lift = gain * 0.75, lift + 50 * ambient * (1 - haze)
        levels = np.arange(256)[None, :] * gain[:, None] + lift[:, None]
        curves = np.clip(levels, 0, 255).astype(np.uint8).ravel().tolist()
        return tree.convert("RGB").point(curves), tree.getchannel("A")


@dataclass(frozen=True)
class Tree:
    """One of the grove's kinds, `height` metres high, at `along` metres of the line and `x` beside it."""

    along: float
    x: float
    height: float
    kind: int
    grove: Grove

    def draw(self, picture: Image.Image, camera: Camera, z: float) -> None:
        """Only the part in view is scaled, as a near tree is larger than the picture."""
        size = max(self.height * camera.scale(z), 1.0)
        u, foot = camera.project(self.x, -0.3, z)
        left, top = u - size / 2, foot - size
        x0, y0 = max(round(left), 0), max(round(top), 0)
        x1, y1 = min(round(left + size), picture.width), min(round(foot), picture.height)
        if x1 <= x0 or y1 <= y0:
            return
        edges = ((x0 - left) / size, (y0 - top) / size, (x1 - left) / size, (y1 - top) / size)
        low_x, low_y, high_x, high_y = (min(max(edge, 0.0), 1.0) for edge in edges)
        part = (low_x, low_y, high_x, high_y)
        colour, mask = self.grove.picture(self.kind, size, (x1 - x0, y1 - y0), part, z)
        picture.paste(colour, (x0, y0), mask)
