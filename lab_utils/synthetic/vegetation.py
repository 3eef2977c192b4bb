"""Trees and bushes: textured cut-outs, painted once a sequence and scaled to their distance."""

import numpy as np
from PIL import Image

from .atmosphere import Atmosphere
from .noise import Field, fractal, smoothstep

SIZE = 192
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
        x, y = rng.uniform(0.26, 0.74), rng.uniform(0.2, 0.72)
        radius = rng.uniform(0.14, 0.24)
        total = np.maximum(total, 1 - np.square((u - x) / radius) * 0.5 - np.square((v - y) / radius) * 0.5)
    return np.asarray(np.clip(total, 0, 1), dtype=np.float32)


def _cone(rng: np.random.Generator, u: Field, v: Field) -> Field:
    width = rng.uniform(0.2, 0.32)
    tiers = 0.82 + 0.18 * ((v * rng.uniform(5, 8)) % 1)
    return np.asarray(np.clip(1.4 - np.abs(u - 0.5) / (v * width * tiers + 0.015), 0, 1), dtype=np.float32)


class Grove:
    """The kinds of trees of one sequence."""

    def __init__(self, air: Atmosphere, rng: np.random.Generator, kinds: int = 4) -> None:
        conifers = rng.random()
        self.air = air
        self.kinds = [paint_tree(rng, conifer=rng.random() < conifers) for _ in range(kinds)]

    def picture(self, kind: int, size: tuple[int, int], part: Box, z: float) -> Image.Image:
        """`part` (fractions left, top, right, bottom) of tree `kind`, at `size` pixels, as seen at `z` metres."""
        box = (part[0] * SIZE, part[1] * SIZE, part[2] * SIZE, part[3] * SIZE)
        tree = self.kinds[kind % len(self.kinds)].resize(size, Image.Resampling.BILINEAR, box)
        haze = float(self.air.haze(z))
        gain = (self.air.ambient + 0.5 * self.air.beam(z)) * (1 - haze)
        lift = self.air.horizon * haze
        if self.air.weather == "snow":
            gain, lift = gain * 0.75, lift + 50 * self.air.ambient * (1 - haze)
        levels = np.arange(256)[None, :] * gain[:, None] + lift[:, None]
        curves = np.clip(levels, 0, 255).astype(np.uint8).ravel().tolist()
        return tree.point([*curves, *range(256)])
