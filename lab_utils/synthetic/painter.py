"""Draws shapes given in world metres on an enlarged picture, so that reducing it smooths their edges."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from .atmosphere import Atmosphere, Colour
from .camera import Camera

OVERSAMPLING = 2
NEAREST = 3.0
Point = tuple[float, float]


class Painter:
    """Far things first; `finish` gives the picture and adds the light of the lamps drawn."""

    def __init__(self, canvas: Image.Image, camera: Camera, air: Atmosphere, travel: float) -> None:
        size = canvas.width * OVERSAMPLING, canvas.height * OVERSAMPLING
        self.image = canvas.resize(size, Image.Resampling.NEAREST)
        self.draw = ImageDraw.Draw(self.image)
        self.camera, self.air, self.travel = camera, air, travel
        self._glows: list[tuple[float, float, float, Colour]] = []

    def at(self, x: float, y: float, z: float) -> Point:
        """Position on the enlarged picture of a world point."""
        u, v = self.camera.project(x, y, max(z, NEAREST))
        return u * OVERSAMPLING, v * OVERSAMPLING

    def scale(self, z: float) -> float:
        """Enlarged pixels per metre at `z`."""
        return self.camera.scale(max(z, NEAREST)) * OVERSAMPLING

    def face(self, corners: Iterable[tuple[float, float, float]], colour: Colour, reflect: float = 1.0) -> None:
        """A filled polygon of world points, shaded at its mean distance."""
        points = list(corners)
        z = sum(p[2] for p in points) / len(points)
        self.draw.polygon([self.at(*p) for p in points], fill=self.air.shade(colour, z, reflect))

    def bar(self, a: tuple[float, float, float], b: tuple[float, float, float], thick: float, colour: Colour) -> None:
        """A straight beam `thick` metres wide between two world points."""
        z = (a[2] + b[2]) / 2
        width = max(1, round(thick * self.scale(z)))
        self.draw.line([self.at(*a), self.at(*b)], fill=self.air.shade(colour, z), width=width)

    def post(self, x: float, z: float, bottom: float, top: float, thick: float, colour: Colour) -> None:
        """An upright beam with a lit and a shaded side."""
        (u, low), (_, high) = self.at(x, bottom, z), self.at(x, top, z)
        half = max(thick * self.scale(z), 1.2) / 2
        self.draw.rectangle((u - half, high, u + half - 1, low), fill=self.air.shade(colour, z))
        if half > 1.5:
            dark = colour[0] * 6 // 10, colour[1] * 6 // 10, colour[2] * 6 // 10
            self.draw.rectangle((u + half * 0.3, high, u + half - 1, low), fill=self.air.shade(dark, z))

    def disc(self, x: float, y: float, z: float, radius: float, fill: Colour) -> None:
        """A filled circle facing the camera; `fill` is used as it is."""
        u, v = self.at(x, y, z)
        r = max(radius * self.scale(z), 0.8)
        self.draw.ellipse((u - r, v - r, u + r, v + r), fill=fill)

    def paste(self, picture: Image.Image, left: float, top: float) -> None:
        """A cut-out on the enlarged picture."""
        self.image.paste(picture, (round(left), round(top)), picture)

    def glow(self, x: float, y: float, z: float, metres: float, colour: Colour) -> None:
        """Light spilling around a lamp; wider and stronger in the dark and in haze."""
        u, v = self.camera.project(x, y, max(z, NEAREST))
        spread = {"day": 1.6, "dusk": 3.0, "night": 4.2}[self.air.light]
        spread *= 1 + 1.2 * float(self.air.haze(z))
        strength = {"day": 0.22, "dusk": 0.5, "night": 0.75}[self.air.light]
        r, g, b = (int(c * strength) for c in colour)
        self._glows.append((u, v, max(metres * self.camera.scale(max(z, NEAREST)), 0.8) * spread, (r, g, b)))

    def finish(self) -> Image.Image:
        """The picture at its own size."""
        picture = self.image.reduce(OVERSAMPLING)
        for u, v, radius, colour in self._glows:
            _add_glow(picture, u, v, radius, colour)
        return picture


def _add_glow(picture: Image.Image, u: float, v: float, radius: float, colour: Colour) -> None:
    half = int(np.ceil(radius * 1.5))
    box = (round(u) - half, round(v) - half, round(u) + half, round(v) + half)
    if box[2] <= 0 or box[3] <= 0 or box[0] >= picture.width or box[1] >= picture.height:
        return
    axis = np.arange(-half, half, dtype=np.float32) + 0.5
    falloff = np.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2 * (radius / 2.2) ** 2))
    light = falloff[..., None] * np.asarray(colour, dtype=np.float32)
    spill = Image.fromarray(light.astype(np.uint8))
    picture.paste(ImageChops.add(picture.crop(box), spill), box[:2])
