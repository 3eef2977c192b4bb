"""What never comes nearer: sky, clouds, sun, stars and the hills on the horizon."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .atmosphere import Atmosphere
from .noise import Field, fractal, smoothstep, tileable

Canvas = NDArray[np.float32]
_HILL = {"day": (74, 98, 66), "dusk": (58, 56, 62), "night": (14, 17, 24)}


def paint_backdrop(width: int, height: int, horizon: int, air: Atmosphere, rng: np.random.Generator) -> Image.Image:
    """RGB picture of the sky above row `horizon` and the haze below it."""
    canvas = _gradient(width, height, horizon, air)
    if air.weather == "clear":
        _sun_or_stars(canvas, horizon, air, rng)
    _clouds(canvas, horizon, air, rng)
    _hills(canvas, horizon, air, rng)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def _gradient(width: int, height: int, horizon: int, air: Atmosphere) -> Canvas:
    rows = np.arange(height, dtype=np.float32)[:, None, None]
    share = np.clip(rows / horizon, 0, 1) ** 1.6
    zenith, low = np.asarray(air.zenith), np.asarray(air.horizon)
    column = zenith + (low - zenith) * share
    return np.repeat(column, width, axis=1).astype(np.float32)


def _sun_or_stars(canvas: Canvas, horizon: int, air: Atmosphere, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    if air.light == "night":
        count = rng.integers(20, 90)
        rows, columns = rng.integers(0, int(horizon * 0.8), count), rng.integers(0, width, count)
        canvas[rows, columns] += rng.uniform(20, 130, count)[:, None]
        return
    x = rng.uniform(-0.2, 1.2) * width
    y = horizon * (rng.uniform(0.85, 1.05) if air.light == "dusk" else rng.uniform(-0.3, 0.3))
    v, u = np.mgrid[:height, :width].astype(np.float32)
    near = np.exp(-np.hypot((u - x) * 0.7, (v - y) * 1.4) / (0.22 * width))
    tint = np.asarray((90, 52, 10) if air.light == "dusk" else (55, 52, 44), dtype=np.float32)
    canvas += near[..., None] * tint


def _clouds(canvas: Canvas, horizon: int, air: Atmosphere, rng: np.random.Generator) -> None:
    width = canvas.shape[1]
    size = 384
    field = np.clip(0.5 + 0.2 * tileable(rng, size, 1.7), 0, 1)
    depth = 1 / np.linspace(1.0, 0.16, horizon, dtype=np.float32)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :] * depth[:, None]
    rows = (depth * 110 + rng.uniform(0, size)).astype(np.int32) % size
    columns = (across * 210 + np.float32(rng.uniform(0, size))).astype(np.int32) % size
    field = field[rows[:, None], columns]
    overcast = air.weather != "clear"
    start = 0.25 if overcast else rng.uniform(0.42, 0.62)
    cover = smoothstep(start, start + 0.35, field)
    cover *= (0.45 if overcast else 0.8) * smoothstep(1.0, 0.6, np.linspace(0, 1, horizon))[:, None]
    lit = np.clip(np.asarray(air.horizon) * (0.8 if overcast else 1.16) + (0 if air.light == "night" else 6), 0, 255)
    colour = lit.astype(np.float32) * (1.06 - 0.25 * field[..., None])
    canvas[:horizon] += (colour - canvas[:horizon]) * cover[..., None]


def _hills(canvas: Canvas, horizon: int, air: Atmosphere, rng: np.random.Generator) -> None:
    width = canvas.shape[1]
    base = np.asarray(_HILL[air.light], dtype=np.float32) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    if air.weather == "snow":
        base = base * 0.6 + np.asarray(air.ambient) * 70
    for far, tall in ((0.75, rng.uniform(0.02, 0.16)), (0.42, rng.uniform(0.01, 0.09)), (0.12, 0.035)):
        line = fractal(rng, 1, width, (1, 3 if far > 0.3 else 14), octaves=5)[0]
        top = horizon + 2 - (line * 0.8 + 0.2) * tall * horizon * 1.3
        _ridge(canvas, top, horizon, base + (air.horizon - base) * max(far, _veil(air)), rng)


def _veil(air: Atmosphere) -> float:
    return float(air.haze(400.0))


def _ridge(canvas: Canvas, top: Field, horizon: int, colour: Field, rng: np.random.Generator) -> None:
    first, last, width = max(int(top.min()), 0), horizon + 4, canvas.shape[1]
    rows = np.arange(first, last, dtype=np.float32)[:, None]
    inside = np.clip(rows - top[None, :] + 0.5, 0, 1)
    texture = fractal(rng, last - first, width, (max((last - first) // 8, 2), width // 8), octaves=3)
    painted = colour.astype(np.float32) * (0.88 + 0.24 * texture[..., None])
    band = canvas[first:last]
    band += (painted - band) * inside[..., None]
