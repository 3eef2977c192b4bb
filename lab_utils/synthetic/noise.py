"""Smooth random fields for clouds, hills, ballast and leaves."""

import numpy as np
from numpy import typing as npt
from PIL import Image

Field = npt.NDArray[np.float32]


def value_noise(rng: np.random.Generator, height: int, width: int, cells: tuple[int, int]) -> Field:
    """One octave in [0, 1]: a random grid of (rows, columns) `cells` enlarged bicubically to (height, width)."""
    grid = Image.fromarray(rng.random(cells, dtype=np.float32))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def fractal(rng: np.random.Generator, height: int, width: int, cells: tuple[int, int], octaves: int = 4) -> Field:
    """Sum of octaves of value noise, each twice as fine and half as strong, scaled to [0, 1]."""
    total = np.zeros((height, width), dtype=np.float32)
    for octave in range(octaves):
        fine = min(cells[0] << octave, height), min(cells[1] << octave, width)
        total += value_noise(rng, height, width, fine) * np.float32(0.5**octave)
    total -= total.min()
    return np.asarray(total / max(float(total.max()), 1e-6), dtype=np.float32)


def tileable(rng: np.random.Generator, size: int, exponent: float) -> Field:
    """A square field that repeats without a seam: white noise with amplitude 1/frequency**exponent.

    Zero mean, unit standard deviation.
    """
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / frequency**exponent
    field = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(field / field.std(), dtype=np.float32)


def smoothstep(low: float, high: float, value: npt.ArrayLike) -> Field:
    """0 below `low`, 1 above `high`, a smooth ramp between."""
    t = np.clip((np.asarray(value) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
