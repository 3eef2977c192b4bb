"""A signal on its mast, bracket or gantry, and the box of its plate in the picture."""

from dataclasses import dataclass

from .atmosphere import Colour
from .chassis import BY_NAME, Chassis
from .furniture import CONCRETE, STEEL
from .painter import NEAREST, OVERSAMPLING, Painter
from .signals import draw_head, lit_lamps

Box = tuple[int, int, int, int]
SHORTEST_SIDE = 8
VISIBLE_SHARE = 0.45
LAMP_GLOW = 0.16  # metres


@dataclass(frozen=True)
class Site:
    """A signal of `chassis` showing `aspect`; `x` is its plate's centre, `bottom` its lower edge (m)."""

    along: float
    x: float
    bottom: float
    mount: str
    chassis: str
    aspect: str

    @property
    def kind(self) -> Chassis:
        """The chassis' description."""
        return BY_NAME[self.chassis]

    def draw(self, painter: Painter, z: float) -> None:
        """The support only; `draw_plate` adds the head."""
        middle = self.bottom + self.kind.size[1] / 2
        if self.mount == "mast":
            painter.post(self.x, z, -0.4, middle, 0.17, STEEL)
            painter.post(self.x, z, -0.4, 0.25, 0.5, CONCRETE)
            self._ladder(painter, z)
        elif self.mount == "bracket":
            foot = self.x + (-1.7 if self.x < 0 else 1.7)
            painter.post(foot, z, -0.4, self.bottom + 0.35, 0.24, STEEL)
            painter.bar((foot, self.bottom - 0.1, z), (self.x, self.bottom - 0.1, z), 0.12, STEEL)
            painter.post(self.x, z, self.bottom - 0.1, middle, 0.14, STEEL)
        else:
            painter.post(self.x, z, middle, 8.0, 0.16, STEEL)

    def _ladder(self, painter: Painter, z: float) -> None:
        x = self.x + 0.28
        painter.bar((x, 0, z), (x, self.bottom, z), 0.04, STEEL)
        for rung in range(int(self.bottom / 0.4)):
            painter.bar((self.x, 0.4 * rung, z), (x, 0.4 * rung, z), 0.03, STEEL)

    def plate_box(self, painter: Painter, z: float) -> Box:
        """Whole pixels (left, top, width, height) of the plate, which may reach out of the picture."""
        scale = painter.camera.scale(z)
        width, height = (max(1, round(metres * scale)) for metres in self.kind.size)
        u, v = painter.camera.project(self.x, self.bottom, z)
        return round(u - width / 2), round(v) - height, width, height

    def draw_plate(self, painter: Painter, z: float) -> Box | None:
        """Draw the head and return its box clipped to the picture; None when it is not in view."""
        if z < NEAREST:
            return None
        left, top, width, height = self.plate_box(painter, z)
        camera = painter.camera
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, camera.width), min(top + height, camera.height)
        shown = max(x1 - x0, 0) * max(y1 - y0, 0)
        if shown < VISIBLE_SHARE * width * height or min(x1 - x0, y1 - y0) < SHORTEST_SIDE:
            return None
        size = width * OVERSAMPLING, height * OVERSAMPLING
        head = draw_head(self.kind, self.aspect, size, painter.air, z)
        painter.paste(head, left * OVERSAMPLING, top * OVERSAMPLING)
        for x, y, colour in self.lamps():
            painter.glow(x, y, z, LAMP_GLOW, painter.air.glow(colour, z))
        return x0, y0, x1 - x0, y1 - y0

    def lamps(self) -> list[tuple[float, float, Colour]]:
        """(x, y, colour) of the lit lamps, metres from the own track's centre and above the rails."""
        width, height = self.kind.size
        return [
            (self.x + (fx - 0.5) * width, self.bottom + (1 - fy) * height, colour)
            for fx, fy, colour in lit_lamps(self.kind, self.aspect)
        ]
