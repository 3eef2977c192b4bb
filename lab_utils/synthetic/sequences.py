"""What a sequence shows: its signals, its light and weather, and how the train approaches."""

from dataclasses import dataclass

import numpy as np

from .camera import EYE_HEIGHT, FOCAL_PER_WIDTH
from .chassis import BY_NAME, Chassis
from .sites import Site

TRACK_SPACING = 3.8
SETTINGS = ("open", "forest", "town", "station")


@dataclass(frozen=True)
class SequenceSpec:
    """One approach to a signal.

    `distances` are the metres to the first of `sites` in each frame; a negative one lies behind it, and
    the frame then shows no signal. `seed` decides everything else that is drawn.
    """

    light: str
    weather: str
    setting: str
    sites: tuple[Site, ...]
    distances: tuple[float, ...]
    tracks: int = 1
    curvature: float = 0.0
    size: tuple[int, int] = (640, 400)
    seed: tuple[int, ...] = (0,)

    @property
    def chassis(self) -> str:
        """Class of every signal in the sequence."""
        return self.sites[0].chassis

    @property
    def state(self) -> str:
        """Aspect that the signals show."""
        return self.sites[0].aspect

    @property
    def context(self) -> str:
        """Light and weather in words."""
        return f"{self.light}, {self.weather}"

    @property
    def on_track(self) -> bool:
        """Does the first signal speak to this train? (Trains keep left, and so do their signals.)"""
        return self.sites[0].x < TRACK_SPACING / 2


def make_spec(
    seed: tuple[int, ...],
    chassis: str,
    *,
    light: str,
    weather: str,
    frames: int,
    negatives: int = 0,
    size: tuple[int, int] = (640, 400),
) -> SequenceSpec:
    """Draw a plausible sequence of `frames` frames, the last `negatives` of them past the signal."""
    rng = np.random.default_rng(seed)
    tracks = int(rng.integers(1, 4))
    sites = _sites(rng, BY_NAME[chassis], tracks)
    ahead = approach(rng, sites[0], frames - negatives, size)
    behind = [-float(d) for d in np.sort(rng.uniform(25, 90, negatives))]
    return SequenceSpec(
        light=light,
        weather=weather,
        setting=str(rng.choice(SETTINGS)),
        sites=sites,
        distances=(*ahead, *behind),
        tracks=tracks,
        curvature=float(rng.choice((0, 0, 1, -1)) * rng.uniform(0.0002, 0.0011)),
        size=size,
        seed=seed,
    )


def _sites(rng: np.random.Generator, chassis: Chassis, tracks: int) -> tuple[Site, ...]:
    outer = (tracks - 1) * TRACK_SPACING
    aspect = str(rng.choice(list(chassis.aspects)))
    slots = {
        "left": (rng.uniform(-3.7, -2.7), rng.uniform(2.9, 4.4), str(rng.choice(("mast", "mast", "bracket")))),
        "right": (min(outer, TRACK_SPACING) + rng.uniform(2.7, 3.2), rng.uniform(2.9, 4.2), "mast"),
        "gantry": (rng.uniform(-0.9, 0.9), rng.uniform(5.2, 5.7), "gantry"),
    }
    order = rng.choice(list(slots), size=3, replace=False, p=(0.55, 0.27, 0.18))
    count = int(rng.choice((1, 2, 3), p=(0.72, 0.22, 0.06)))
    sites = []
    for index, slot in enumerate(order[:count]):
        x, bottom, mount = slots[str(slot)]
        along = float(rng.uniform(-9, 2)) if index else 0.0
        sites.append(Site(along, float(x), float(bottom), mount, chassis.name, aspect))
    return tuple(sites)


def approach(rng: np.random.Generator, site: Site, frames: int, size: tuple[int, int]) -> list[float]:
    """Distances from far to near at which `site` is in view, its plate growing by a constant factor."""
    width, height = size
    unit = width / 640
    far = unit * rng.uniform(9.8, 12.5)
    wide, tall = site.kind.size
    fits_across = 0.44 * width / (abs(site.x) + wide / 2)
    fits_above = 0.5 * height / (site.bottom + tall - EYE_HEIGHT)
    near = min(unit * rng.uniform(46, 80), fits_across, fits_above, 140 * unit / tall)
    steps = np.linspace(0, 1, max(frames, 2))[:frames] ** rng.uniform(0.8, 1.2)
    scales = far * (near / far) ** steps
    return [float(d) for d in FOCAL_PER_WIDTH * width / scales]
