"""Renders the frames of a clip with its ground truth."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .camera import Camera
from .chassis import CHASSIS
from .journeys import Journey
from .painter import NEAREST, OVERSAMPLING, Painter
from .scene import Scene
from .signals import draw_head
from .sites import LAMP_GLOW, SHORTEST_SIDE, Site
from .world import AHEAD

LEAST_SEEN = 0.05  # share of an object below which it counts as hidden
CLEAR = 0.97


class Seen(NamedTuple):
    """One signal in one frame: its box is (xmin, ymin, width, height) in pixels, cut off at the frame's edges."""

    track_id: int
    class_id: int
    box: tuple[float, float, float, float]
    visibility: float


class Shot(NamedTuple):
    """`rgb` is uint8 [height, width, 3]."""

    rgb: NDArray[np.uint8]
    seen: list[Seen]


class Film(Scene):
    """A scene in motion: signals are drawn in depth order, to half a pixel, under even light."""

    def __init__(self, journey: Journey) -> None:
        super().__init__(journey.scene, journey.margin)
        self.journey = journey
        self.items = sorted(
            [*self.items, *journey.piers], key=lambda item: -(item.along + getattr(item, "length", 0.0))
        )

    def shot(self, index: int) -> Shot:
        """Frame `index` of the clip."""
        travel = -self.spec.distances[index]
        camera = self._aimed(travel, index)
        painter = Painter(self._landscape(camera, travel), camera, self.air, travel)
        plates = self._draw_items(painter, travel)
        seen = [found for plate in plates if (found := plate.look(painter, self.spec.sites))]
        picture = painter.finish()
        rng = np.random.default_rng((*self.spec.seed, 2, index))
        if self.precipitation:
            self.precipitation.cover(picture, rng)
        gain = 1 + 0.04 * np.sin(index / 17 + self.phases[0])
        return Shot(np.asarray(self.lens.expose(picture, gain, rng)), seen)

    def _aimed(self, travel: float, index: int) -> Camera:
        still = self._camera(travel)
        cx = still.cx + self.journey.pans[index] * still.width
        cy = still.cy + self.journey.nods[index] * still.height
        return Camera(still.width, still.height, cx, cy, still.curvature)

    def _draw_items(self, painter: Painter, travel: float) -> list["_Plate"]:
        plates = []
        for item in self.items:
            z = item.along - travel
            if not (z + getattr(item, "length", 0.0) > NEAREST and z < AHEAD * 2):
                continue
            item.draw(painter, z)
            if isinstance(item, Site) and (plate := _draw_plate(painter, item, z)):
                plates.append(plate)
        return plates


class _Plate(NamedTuple):
    """A plate just drawn on the enlarged picture: its mask, and the pixels below the part that is in the picture."""

    site: Site
    z: float
    left: int
    top: int
    mask: NDArray[np.bool_]
    inside: tuple[int, int, int, int]
    drawn: NDArray[np.uint8]

    def look(self, painter: Painter, sites: tuple[Site, ...]) -> Seen | None:
        """What is still to be seen of it when all has been drawn; lets its lamps shine where they are."""
        uncovered = (np.asarray(painter.image.crop(self.inside)) == self.drawn).all(axis=2)
        x0, y0, x1, y1 = self.inside
        mask = self.mask[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left]
        for x, y, colour in self.site.lamps():
            u, v = painter.at(x, y, self.z)
            if x0 <= u < x1 and y0 <= v < y1 and uncovered[int(v) - y0, int(u) - x0]:
                painter.glow(x, y, self.z, LAMP_GLOW, painter.air.glow(colour, self.z))
        visibility = float((uncovered & mask).sum() / self.mask.sum())
        if visibility < LEAST_SEEN or min(self.mask.shape) < SHORTEST_SIDE * OVERSAMPLING:
            return None
        box = tuple(value / OVERSAMPLING for value in (x0, y0, x1 - x0, y1 - y0))
        return Seen(sites.index(self.site) + 1, CHASSIS.index(self.site.chassis), box, visibility)  # type: ignore[arg-type]


def _draw_plate(painter: Painter, site: Site, z: float) -> _Plate | None:
    """Draw a signal's head to half a pixel; None when it is out of the picture."""
    if z < NEAREST:
        return None
    u, v = painter.at(site.x, site.bottom, z)
    width, height = (max(round(metres * painter.scale(z)), 1) for metres in site.kind.size)
    left, top = round(u - width / 2), round(v) - height
    inside = max(left, 0), max(top, 0), min(left + width, painter.image.width), min(top + height, painter.image.height)
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    head: Image.Image = draw_head(site.kind, site.aspect, (width, height), painter.air, z)
    painter.paste(head, left, top)
    mask = np.asarray(head.getchannel("A")) > 127
    return _Plate(site, z, left, top, mask, inside, np.asarray(painter.image.crop(inside)))


def film(journey: Journey) -> Iterator[Shot]:
    """The frames of a clip, one after the other."""
    scene = Film(journey)
    return (scene.shot(index) for index in range(len(journey.scene.distances)))


def target_is_clear(journey: Journey) -> bool:
    """Is the target in plain sight in the first frame, where a tracker is shown it?"""
    return any(seen.track_id == 1 and seen.visibility > CLEAR for seen in Film(journey).shot(0).seen)
