"""Long things beside the line: houses, halls and platforms."""

from dataclasses import dataclass

import numpy as np

from .atmosphere import Colour
from .furniture import WARM
from .painter import NEAREST, Painter


@dataclass(frozen=True)
class Building:
    """A block whose face towards the track is at `x`, from `along` to `along` + `length`."""

    along: float
    x: float
    length: float
    width: float
    height: float
    colour: Colour
    floors: int
    lit: tuple[bool, ...]

    def draw(self, painter: Painter, z: float) -> None:
        near, far = max(z, NEAREST), z + self.length
        outer = self.x + (self.width if self.x > 0 else -self.width)
        top = self.height
        painter.face(_upright(self.x, near, self.x, far, -0.5, top), _dim(self.colour, 0.8))
        self._windows(painter, near, far)
        if z > NEAREST:
            painter.face(_upright(self.x, z, outer, z, -0.5, top), self.colour)
        eaves = ((self.x, top, near), (self.x, top, far), (outer, top + 1.6, far), (outer, top + 1.6, near))
        painter.face(eaves, _dim((150, 84, 66), 0.9))

    def _windows(self, painter: Painter, near: float, far: float) -> None:
        storey = self.height / self.floors
        columns = len(self.lit) // self.floors
        pitch = (far - near) / columns
        for index, lit in enumerate(self.lit):
            floor, column = divmod(index, columns)
            a, b = near + (column + 0.3) * pitch, near + (column + 0.7) * pitch
            corners = _upright(self.x, a, self.x, b, (floor + 0.3) * storey, (floor + 0.75) * storey)
            if lit and painter.air.light != "day":
                fill = painter.air.glow((WARM[0], WARM[1] - 30, WARM[2] - 40), a)
                painter.draw.polygon([painter.at(*p) for p in corners], fill=fill)
            else:
                painter.face(corners, (58, 66, 78))


@dataclass(frozen=True)
class Platform:
    """A platform whose edge is at `x`."""

    along: float
    x: float
    length: float
    width: float

    def draw(self, painter: Painter, z: float) -> None:
        near, far = max(z, NEAREST), z + self.length
        if far <= near:
            return
        outer = self.x + (self.width if self.x > 0 else -self.width)
        strip = self.x + (0.35 if self.x > 0 else -0.35)
        cuts = np.geomspace(near, far, 12)
        for b, a in zip(cuts[::-1][:-1], cuts[::-1][1:], strict=True):
            painter.face(_flat(self.x, outer, 0.6, a, b), (146, 142, 138))
            painter.face(_flat(self.x, strip, 0.6, a, b), (222, 218, 200))
            painter.face(_upright(self.x, a, self.x, b, -0.3, 0.6), (92, 90, 88))


Corner = tuple[float, float, float]


def _upright(x0: float, z0: float, x1: float, z1: float, low: float, high: float) -> tuple[Corner, ...]:
    return ((x0, low, z0), (x1, low, z1), (x1, high, z1), (x0, high, z0))


def _flat(x0: float, x1: float, y: float, z0: float, z1: float) -> tuple[Corner, ...]:
    return ((x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1))


def _dim(colour: Colour, share: float) -> Colour:
    return int(colour[0] * share), int(colour[1] * share), int(colour[2] * share)
