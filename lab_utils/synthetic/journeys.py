"""What a clip shows: a train that nears several signals while a mast hides one and the camera looks away and back."""

from dataclasses import dataclass

import numpy as np

from .atmosphere import LIGHTS, WEATHERS
from .camera import EYE_HEIGHT, FOCAL_PER_WIDTH, Camera
from .chassis import BY_NAME, CHASSIS
from .furniture import CONCRETE, STEEL
from .painter import Painter
from .sequences import SETTINGS, TRACK_SPACING, SequenceSpec
from .sites import Site

LOADING_GAUGE = 2.0  # nothing stands nearer to the middle of a track, metres
_WIDEST_PAN = 0.7  # of the frame's width


@dataclass(frozen=True)
class Pier:
    """A mast (or the pier of a bridge, when it is wide) `thick` metres wide, beside the line at `x`."""

    along: float
    x: float
    thick: float

    def draw(self, painter: Painter, z: float) -> None:
        painter.post(self.x, z, -0.4, 8.5, self.thick, STEEL if self.thick < 0.6 else CONCRETE)


@dataclass(frozen=True)
class Journey:
    """One clip.

    Attributes:
        scene: place, light and signals; its distances are those of the frames. The first site is the target.
        pans: how far the camera looks to the left in each frame, as a share of the frame's width.
        nods: the same downwards, as a share of its height.
        piers: what is put between the camera and the target.
    """

    scene: SequenceSpec
    pans: tuple[float, ...]
    nods: tuple[float, ...]
    piers: tuple[Pier, ...]

    @property
    def margin(self) -> int:
        """How far the camera turns to either side at most, in pixels."""
        return round((_WIDEST_PAN + 0.1) * self.scene.size[0])


def make_journey(
    seed: tuple[int, ...],
    *,
    frames: int,
    size: tuple[int, int] = (480, 300),
    hard: bool = True,
    light: str | None = None,
    weather: str | None = None,
) -> Journey:
    """Draw a plausible clip.

    Args:
        seed: decides all that is drawn.
        frames: its length.
        size: width and height of a frame in pixels.
        hard: hide the target behind a mast at a third of the clip, look away from it and back at two thirds, shake.
        light, weather: one of LIGHTS, WEATHERS; None: drawn.
    """
    rng = np.random.default_rng((*seed, 7))
    tracks = int(rng.integers(1, 4))
    target = _target(rng, tracks)
    distances = _distances(rng, target, frames, size[0])
    scene = SequenceSpec(
        light=light or str(rng.choice(LIGHTS, p=(0.6, 0.15, 0.25))),
        weather=weather or str(rng.choice(WEATHERS, p=(0.6, 0.15, 0.15, 0.1))),
        setting=str(rng.choice(SETTINGS)),
        sites=(target, *_others(rng, target, tracks)),
        distances=tuple(distances.tolist()),
        tracks=tracks,
        curvature=float(rng.choice((0, 1, -1)) * rng.uniform(0.0002, 0.0006)),
        size=size,
        seed=seed,
    )
    pans, nods = _shake(rng, frames, hard)
    piers: tuple[Pier, ...] = ()
    if hard:
        piers = (_pier(rng, scene, round(frames * rng.uniform(0.34, 0.44))),)
        pans += _glance(rng, scene, round(frames * rng.uniform(0.62, 0.72)))
    return Journey(scene, tuple(pans.tolist()), tuple(nods.tolist()), piers)


def _target(rng: np.random.Generator, tracks: int) -> Site:
    """A signal far enough from the track for a mast to stand before it."""
    right = tracks > 1 and rng.random() < 0.4
    beyond = (tracks - 1) * TRACK_SPACING if right else 0.0
    x = (1 if right else -1) * float(rng.uniform(4.0, 5.6)) + beyond
    return _site(rng, 0.0, x, float(rng.uniform(2.8, 4.0)), "mast", str(rng.choice(CHASSIS)))


def _others(rng: np.random.Generator, target: Site, tracks: int) -> list[Site]:
    """One to three more, as often as not of the target's class, so that looks alone do not tell them apart."""
    outer = (tracks - 1) * TRACK_SPACING
    places = [(-3.4, "mast"), (outer + 3.4, "mast"), (0.3, "gantry"), (-3.2, "bracket")]
    sites = []
    for index in rng.permutation(len(places))[: rng.integers(1, 4)]:
        x, mount = places[index]
        kind = target.chassis if rng.random() < 0.5 else str(rng.choice(CHASSIS))
        bottom = float(rng.uniform(5.2, 5.7) if mount == "gantry" else rng.uniform(2.8, 4.2))
        sites.append(_site(rng, float(rng.uniform(6, 55)), x + float(rng.uniform(-0.3, 0.3)), bottom, mount, kind))
    return sites


def _site(rng: np.random.Generator, along: float, x: float, bottom: float, mount: str, kind: str) -> Site:
    return Site(along, x, bottom, mount, kind, str(rng.choice(list(BY_NAME[kind].aspects))))


def _distances(rng: np.random.Generator, target: Site, frames: int, width: int) -> np.ndarray:
    """Metres to the target: from where it is small to where it comes near the frame's edge, at a steady speed."""
    wide, tall = target.kind.size
    smallest = 9 + 7 * width / 1280
    far = FOCAL_PER_WIDTH * width * min(wide, tall) / (smallest * rng.uniform(1.0, 1.4))
    across = FOCAL_PER_WIDTH * (abs(target.x) + wide / 2) / rng.uniform(0.34, 0.42)
    above = FOCAL_PER_WIDTH * (target.bottom + tall - EYE_HEIGHT) / 0.3
    near = max(across, above)
    return np.linspace(max(far, 1.6 * near), near, frames)


def _shake(rng: np.random.Generator, frames: int, hard: bool) -> tuple[np.ndarray, np.ndarray]:
    """A smooth random walk of the camera's aim, in shares of the frame."""
    steps = rng.normal(0, 1, (2, frames + 24))
    smooth = np.stack([np.convolve(row, np.hanning(25) / 12, mode="valid") for row in steps])
    pans, nods = smooth * (0.02 if hard else 0.008)
    return pans - pans[0], nods - nods[0]


def _pier(rng: np.random.Generator, scene: SequenceSpec, frame: int) -> Pier:
    """What hides the target for some frames around `frame`, and does not touch it in the first."""
    site, start, z = scene.sites[0], scene.distances[0], scene.distances[frame]
    clear = -LOADING_GAUGE if site.x < 0 else (scene.tracks - 1) * TRACK_SPACING + LOADING_GAUGE
    near = z * min(max(clear / site.x, 0.36), 0.85)
    bend, curved = Camera(*scene.size, 0, 0, scene.curvature).bend(np.asarray([z, near], dtype=np.float32)).tolist()
    x = (site.x + bend) / z * near - curved
    first = start - z + near  # the pier's distance in the first frame
    sweep = abs(site.x) / z * (start - scene.distances[frame + 1]) / (frame + 1) * (1 / near - 1 / z)
    hiding = near * (site.kind.size[0] / z + rng.uniform(4, 10) * sweep)
    touching = 2 * first * (abs(site.x / start - x / first) - site.kind.size[0] / 2 / start)
    return Pier(near - z, x, float(np.clip(min(hiding, 0.9 * touching), 0.2, 2.6)))


def _glance(rng: np.random.Generator, scene: SequenceSpec, frame: int) -> np.ndarray:
    """A turn of the camera that takes the target out of the frame around `frame`, and back."""
    site, z = scene.sites[0], scene.distances[frame]
    at = 0.5 + FOCAL_PER_WIDTH * site.x / z
    half = FOCAL_PER_WIDTH * site.kind.size[0] / z
    needed = -(at + half + 0.04) if at < 0.5 else 1 - at + half + 0.04
    away, turn = rng.uniform(5, 11), rng.uniform(7, 13)  # frames out of sight, frames of turning
    distance = np.abs(np.arange(len(scene.distances)) - frame) - away / 2
    share = np.clip(1 - distance / turn, 0, 1)
    return float(np.clip(needed, -_WIDEST_PAN, _WIDEST_PAN)) * share * share * (3 - 2 * share)
