"""Things along the line that are not signals, some of which look a little like one."""

from dataclasses import dataclass
from typing import Protocol

from .atmosphere import Colour
from .painter import NEAREST, Painter

STEEL: Colour = (112, 118, 116)
CONCRETE: Colour = (158, 154, 146)
DARK: Colour = (44, 46, 50)
WARM: Colour = (255, 214, 150)


class Item(Protocol):
    """Something at `along` metres of the line; `z` is its distance when it is drawn."""

    @property
    def along(self) -> float: ...

    def draw(self, painter: Painter, z: float) -> None: ...


@dataclass(frozen=True)
class CatenaryMast:
    """A mast beside the line with its bracket over the track at `track`."""

    along: float
    x: float
    track: float
    colour: Colour = STEEL

    def draw(self, painter: Painter, z: float) -> None:
        painter.post(self.x, z, -0.4, 7.8, 0.26, self.colour)
        painter.bar((self.x, 7.2, z), (self.track, 7.0, z), 0.08, self.colour)
        painter.bar((self.x, 5.9, z), (self.track, 7.0, z), 0.06, self.colour)
        painter.bar((self.x, 5.9, z), (self.track, 5.75, z), 0.05, self.colour)


@dataclass(frozen=True)
class Portal:
    """A gantry over all tracks."""

    along: float
    left: float
    right: float
    beam: float = 7.6
    colour: Colour = STEEL

    def draw(self, painter: Painter, z: float) -> None:
        for x in (self.left, self.right):
            painter.post(x, z, -0.4, self.beam + 0.35, 0.3, self.colour)
        for y in (self.beam - 0.3, self.beam + 0.3):
            painter.bar((self.left, y, z), (self.right, y, z), 0.13, self.colour)
        steps = 12
        width = (self.right - self.left) / steps
        for i in range(steps):
            rise = 0.3 if i % 2 else -0.3
            start = (self.left + i * width, self.beam + rise, z)
            painter.bar(start, (self.left + (i + 1) * width, self.beam - rise, z), 0.07, self.colour)


@dataclass(frozen=True)
class Wires:
    """Contact wire and messenger over the track at `x`, from mast to mast; `along` is the far end."""

    along: float
    x: float
    first_mast: float
    pitch: float = 50.0

    def draw(self, painter: Painter, z: float) -> None:
        colour = painter.air.shade((52, 52, 56), 60)
        start = max(NEAREST + 1, z - 500)
        steps = 70
        ratio = (z / start) ** (1 / steps)
        contact, messenger = [], []
        for i in range(steps + 1):
            at = start * ratio**i
            phase = ((at + painter.travel - self.first_mast) / self.pitch) % 1
            contact.append(painter.at(self.x, 5.6, at))
            messenger.append(painter.at(self.x, 7.0 - 4 * 0.75 * phase * (1 - phase), at))
        painter.draw.line(contact, fill=colour, width=1)
        painter.draw.line(messenger, fill=colour, width=1)


@dataclass(frozen=True)
class Board:
    """A sign on a post: `shape` is square, diamond, disc or triangle; `marks` bars are painted on it."""

    along: float
    x: float
    height: float
    size: float
    shape: str
    colour: Colour
    ink: Colour
    marks: int = 0

    def draw(self, painter: Painter, z: float) -> None:
        painter.post(self.x, z, -0.3, self.height, 0.09, STEEL)
        half, y = self.size / 2, self.height
        fill = painter.air.shade(self.colour, z, 1.5)
        if self.shape == "disc":
            painter.disc(self.x, y, z, half, fill)
            painter.disc(self.x, y, z, half * 0.72, painter.air.shade(self.ink, z, 1.5))
            return
        corners = {
            "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
            "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
            "triangle": ((-1.1, -0.9), (1.1, -0.9), (0, 1.1)),
        }[self.shape]
        painter.face([(self.x + dx * half, y + dy * half, z) for dx, dy in corners], self.colour, 1.5)
        for i in range(self.marks):
            x = self.x + half * (0.5 * i - 0.25 * (self.marks - 1))
            painter.bar((x, y - half * 0.5, z), (x, y + half * 0.5, z), 0.16 * self.size, self.ink)


@dataclass(frozen=True)
class LampPost:
    """A street or platform lamp, lit when it is not day."""

    along: float
    x: float
    height: float
    reach: float
    colour: Colour = WARM

    def draw(self, painter: Painter, z: float) -> None:
        painter.post(self.x, z, 0, self.height, 0.12, STEEL)
        tip = self.x + self.reach
        painter.bar((self.x, self.height, z), (tip, self.height + 0.15, z), 0.1, STEEL)
        if painter.air.light == "day":
            painter.disc(tip, self.height, z, 0.16, painter.air.shade((214, 214, 206), z))
            return
        painter.disc(tip, self.height, z, 0.16, painter.air.glow(self.colour, z))
        painter.glow(tip, self.height, z, 0.28, painter.air.glow(self.colour, z))


@dataclass(frozen=True)
class Cabinet:
    """A relay box on the ground or on a short mast."""

    along: float
    x: float
    bottom: float
    width: float
    height: float
    colour: Colour

    def draw(self, painter: Painter, z: float) -> None:
        if self.bottom > 0.2:
            painter.post(self.x, z, -0.3, self.bottom + 0.1, 0.1, STEEL)
        left, right, top = self.x - self.width / 2, self.x + self.width / 2, self.bottom + self.height
        side = left if self.x > 0 else right
        dim = self.colour[0] * 7 // 10, self.colour[1] * 7 // 10, self.colour[2] * 7 // 10
        far = z + self.width * 0.8
        flank = ((side, self.bottom, z), (side, top, z), (side, top, far), (side, self.bottom, far))
        painter.face(flank, dim)
        front = ((left, self.bottom, z), (right, self.bottom, z), (right, top, z), (left, top, z))
        painter.face(front, self.colour)


@dataclass(frozen=True)
class TailLights:
    """The rear of a train on another track with its two red lamps."""

    along: float
    x: float
    colour: Colour

    def draw(self, painter: Painter, z: float) -> None:
        left, right = self.x - 1.4, self.x + 1.4
        painter.face(((left, 0.4, z), (right, 0.4, z), (right, 3.6, z), (left, 3.6, z)), self.colour)
        roof = ((left, 3.6, z), (right, 3.6, z), (right - 0.4, 4.1, z), (left + 0.4, 4.1, z))
        painter.face(roof, (96, 98, 102))
        window = ((left + 0.3, 2.1, z), (right - 0.3, 2.1, z), (right - 0.45, 3.3, z), (left + 0.45, 3.3, z))
        painter.face(window, (30, 34, 42))
        for x in (left + 0.4, right - 0.4):
            painter.disc(x, 1.3, z, 0.14, painter.air.glow((255, 40, 34), z))
            painter.glow(x, 1.3, z, 0.2, painter.air.glow((255, 40, 34), z))
