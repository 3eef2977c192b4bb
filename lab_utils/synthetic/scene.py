"""Renders the frames of a sequence."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .atmosphere import make_atmosphere
from .backdrop import paint_backdrop
from .camera import Camera
from .furniture import Item
from .ground import make_ground
from .lens import Lens
from .painter import NEAREST, Painter
from .sequences import TRACK_SPACING, SequenceSpec
from .sites import Box
from .weather import Precipitation
from .world import AHEAD, furnish, plant

_SWAY = 24


class Frame(NamedTuple):
    """`rgb` is (height, width, 3) uint8; `boxes` (n, 4) int64 rows of left, top, width, height in pixels."""

    rgb: NDArray[np.uint8]
    boxes: NDArray[np.int64]


class Scene:
    """What the frames of one sequence share, drawn once.

    `margin` is how far, in pixels, the camera may turn to either side.
    """

    def __init__(self, spec: SequenceSpec, margin: int = _SWAY) -> None:
        rng = np.random.default_rng((*spec.seed, 1))
        width, height = spec.size
        self.spec, self.margin = spec, margin
        self.air = make_atmosphere(spec.light, spec.weather, rng)
        self.horizon = height * float(rng.uniform(0.52, 0.57))
        self.aim = width * float(rng.uniform(0.47, 0.53))
        self.phases = rng.uniform(0, 2 * np.pi, 4)
        whole = width + 2 * margin, height + 2 * _SWAY
        self.backdrop = paint_backdrop(*whole, round(self.horizon) + _SWAY, self.air, rng)
        self.ground = make_ground(tuple(TRACK_SPACING * i for i in range(spec.tracks)), self.air, rng)
        self.items: list[Item] = furnish(spec, rng)
        self.trees = plant(spec, self.air, rng)
        self.lens = Lens(spec.size, self.air, rng)
        wet = spec.weather in ("rain", "snow")
        self.precipitation = Precipitation(spec.size, self.air, rng) if wet else None

    def frame(self, index: int) -> Frame:
        """Frame `index` of the sequence."""
        rng = np.random.default_rng((*self.spec.seed, 2, index))
        travel = -self.spec.distances[index]
        camera = self._camera(travel)
        painter = Painter(self._landscape(camera, travel), camera, self.air, travel)
        boxes = self._populate(painter, travel)
        picture = painter.finish()
        if self.precipitation:
            self.precipitation.cover(picture, rng)
        rgb = np.asarray(self.lens.expose(picture, rng.uniform(0.94, 1.06), rng))
        return Frame(rgb, np.asarray(boxes, dtype=np.int64).reshape(-1, 4))

    def _camera(self, travel: float) -> Camera:
        """The cab sways as it runs; the sway depends on the place only, so any frame rate looks smooth."""
        width, height = self.spec.size
        unit = width / 640
        a, b, c, d = self.phases
        side = 3.2 * np.sin(travel / 9 + a) + 1.4 * np.sin(travel / 2.3 + b)
        nod = 2.2 * np.sin(travel / 6 + c) + 1.2 * np.sin(travel / 1.7 + d)
        cx, cy = self.aim + unit * float(side), self.horizon + unit * float(nod)
        return Camera(width, height, cx, cy, self.spec.curvature)

    def _landscape(self, camera: Camera, travel: float) -> Image.Image:
        left = round(self.margin - (camera.cx - self.aim))
        top = round(_SWAY - (camera.cy - self.horizon))
        view = self.backdrop.crop((left, top, left + camera.width, top + camera.height))
        ground = self.ground.paint(camera, travel, self.air)
        view.paste(Image.fromarray(np.ascontiguousarray(ground)), (0, camera.height - len(ground)))
        for tree in self.trees:
            if tree.along - travel > NEAREST:
                tree.draw(view, camera, tree.along - travel)
        return view

    def _populate(self, painter: Painter, travel: float) -> list[Box]:
        """Plates come last: a label is never of something hidden."""
        for item in self.items:
            z = item.along - travel
            if z + getattr(item, "length", 0.0) > NEAREST and z < AHEAD * 2:
                item.draw(painter, z)
        plates = (site.draw_plate(painter, site.along - travel) for site in self.spec.sites)
        return [box for box in plates if box]


def render_sequence(spec: SequenceSpec) -> Iterator[Frame]:
    """The frames of `spec`, one for each of its distances."""
    scene = Scene(spec)
    return (scene.frame(index) for index in range(len(spec.distances)))


def render_frame(spec: SequenceSpec, index: int = 0) -> Frame:
    """One frame of `spec` alone, equal to what `render_sequence` gives."""
    return Scene(spec).frame(index)
