"""Draws a signal head: the target plate with its border, hoods and lamps."""

import numpy as np
from PIL import Image, ImageDraw

from .atmosphere import Atmosphere, Colour
from .chassis import LAMP_RADIUS, Chassis, Rect

LAMP_COLOURS: dict[str, Colour] = {
    "red": (255, 42, 30),
    "yellow": (255, 186, 30),
    "green": (40, 240, 130),
    "white": (240, 240, 255),
}
_BORDER, _PLATE, _HOOD, _LENS = (232, 234, 232), (20, 21, 24), (62, 64, 68), (38, 40, 46)
_BORDER_WIDTH = 0.085


def draw_head(chassis: Chassis, aspect: str, size: tuple[int, int], air: Atmosphere, z: float) -> Image.Image:
    """RGBA picture of a head at `z` metres that fills `size` (width, height) pixels from edge to edge."""
    factor = 8 if max(size) < 80 else 4
    big = size[0] * factor, size[1] * factor
    brush = _Brush(chassis, big, air, z)
    brush.plate(0, air.shade(_BORDER, z, 1.6))
    brush.plate(_BORDER_WIDTH, air.shade(_PLATE, z))
    for index, centre in enumerate(chassis.lamps):
        lit = chassis.aspects[aspect].get(index)
        brush.lamp(centre, air.glow(LAMP_COLOURS[lit], z) if lit else None)
    return brush.image.reduce(factor)


def lit_lamps(chassis: Chassis, aspect: str) -> list[tuple[float, float, Colour]]:
    """(x, y, colour) of the lamps that `aspect` lights; x, y as fractions of the plate's width and height."""
    width, height = chassis.size
    return [
        (chassis.lamps[i][0] / width, chassis.lamps[i][1] / height, LAMP_COLOURS[colour])
        for i, colour in chassis.aspects[aspect].items()
    ]


class _Brush:
    """Draws in metres on one enlarged picture."""

    def __init__(self, chassis: Chassis, size: tuple[int, int], air: Atmosphere, z: float) -> None:
        self.chassis, self.air, self.z = chassis, air, z
        edge = air.shade(_BORDER, z, 1.6)
        self.image = Image.new("RGBA", size, (*edge, 0))
        self.draw = ImageDraw.Draw(self.image)
        self.sx, self.sy = size[0] / chassis.size[0], size[1] / chassis.size[1]

    def plate(self, inset: float, fill: Colour) -> None:
        """The plate's outline, shrunk by `inset` metres on every side."""
        for left, top, right, bottom in self.chassis.parts:
            self._part((left + inset, top + inset, right - inset, bottom - inset), inset, fill)

    def _part(self, rect: Rect, inset: float, fill: Colour) -> None:
        corner = max(self.chassis.corner_size - inset * 0.6, 0.02)
        left, top, right, bottom = (v * s for v, s in zip(rect, (self.sx, self.sy) * 2, strict=True))
        box = (left, top, right - 1, bottom - 1)
        if self.chassis.corner == "round":
            radius = min(corner * (self.sx + self.sy) / 2, (box[2] - left) / 2, (box[3] - top) / 2)
            self.draw.rounded_rectangle(box, radius, fill=fill)
            return
        cx, cy = corner * self.sx, corner * self.sy
        x = (left, left + cx, box[2] - cx, box[2])
        y = (top, top + cy, box[3] - cy, box[3])
        order = ((1, 0), (2, 0), (3, 1), (3, 2), (2, 3), (1, 3), (0, 2), (0, 1))
        self.draw.polygon([(x[i], y[j]) for i, j in order], fill=fill)

    def lamp(self, centre: tuple[float, float], lit: Colour | None) -> None:
        """One lamp under its hood; `lit` is its colour, None when it is dark."""
        self._disc(centre, LAMP_RADIUS * 1.28, self.air.shade(_HOOD, self.z))
        x, y = centre
        self._disc((x, y + 0.05), LAMP_RADIUS * 1.22, self.air.shade(_PLATE, self.z))
        self._disc(centre, LAMP_RADIUS, lit or self.air.shade(_LENS, self.z))
        if lit:
            core = np.asarray(lit) * 0.4 + 255 * 0.6
            r, g, b = core.astype(int).tolist()
            self._disc((x, y + 0.01), LAMP_RADIUS * 0.5, (r, g, b))

    def _disc(self, centre: tuple[float, float], radius: float, fill: Colour) -> None:
        x, y = centre[0] * self.sx, centre[1] * self.sy
        rx, ry = radius * self.sx, radius * self.sy
        self.draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=fill)
