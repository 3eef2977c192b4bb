"""The camera's own marks on a picture: exposure, vignette, motion blur and sensor noise."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from .atmosphere import Atmosphere

_SPARE = 64
_NOISE = {"day": 1.6, "dusk": 2.4, "night": 3.4}


class Lens:
    """The optics of one sequence."""

    def __init__(self, size: tuple[int, int], air: Atmosphere, rng: np.random.Generator) -> None:
        self.size = size
        self.blur = float(rng.choice((0.0, 0.0, 0.0, 0.5)))
        self.exposure = float(rng.uniform(0.9, 1.12))
        self.vignette = _vignette(size, float(rng.uniform(0.08, 0.3)))
        self.noise = _noise(size, _NOISE[air.light] * rng.uniform(0.7, 1.3), rng)

    def expose(self, picture: Image.Image, gain: float, rng: np.random.Generator) -> Image.Image:
        """The picture as the sensor records it, `gain` times as bright as the sequence's exposure."""
        gain *= self.exposure
        curve = [min(255, round(255 * (i / 255 * gain) ** 0.96)) for i in range(256)]
        picture = ImageChops.multiply(picture.point(curve * 3), self.vignette)
        if self.blur:
            picture = picture.filter(ImageFilter.BoxBlur((self.blur * 0.6, self.blur)))
        left, top = (int(v) for v in rng.integers(0, _SPARE, 2))
        grain = self.noise.crop((left, top, left + self.size[0], top + self.size[1]))
        return ImageChops.add(picture, grain, offset=-128)


def _vignette(size: tuple[int, int], strength: float) -> Image.Image:
    v, u = np.mgrid[-1:1:33j, -1:1:33j]
    shade = 255 * (1 - strength * (np.hypot(u, v) / np.sqrt(2)) ** 2.5)
    small = Image.fromarray(shade.astype(np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC).convert("RGB")


def _noise(size: tuple[int, int], sigma: float, rng: np.random.Generator) -> Image.Image:
    shape = size[1] + _SPARE, size[0] + _SPARE
    grain = rng.standard_normal(shape, dtype=np.float32) * np.float32(sigma)
    return Image.fromarray((grain + 128.5).clip(0, 255).astype(np.uint8)).convert("RGB")
