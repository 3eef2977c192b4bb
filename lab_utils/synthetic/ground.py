"""The ground ahead, shaded per pixel by inverse perspective: grass, ballast, sleepers and rails."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .atmosphere import BEAM_REACH, Atmosphere
from .camera import EYE_HEIGHT, Camera
from .noise import Field, tileable

GAUGE_HALF = 0.755
SLEEPER_PITCH = 0.6
_TILE = 256
_GRASS = {"green": (82, 104, 48), "dry": (132, 122, 72), "dark": (58, 78, 42), "earth": (110, 96, 74)}
_SNOW = (214, 220, 228)


@dataclass(frozen=True)
class Ground:
    """`tracks` are the tracks' centres (m); `palette` rows: verge, ballast, sleeper, rail foot, rail head."""

    tracks: tuple[float, ...]
    palette: NDArray[np.float32]
    fine: Field
    coarse: Field

    def paint(self, camera: Camera, travel: float, air: Atmosphere) -> NDArray[np.uint8]:
        """Rows from the horizon down, (rows, width, 3); `travel` = metres run along the track."""
        first = int(np.ceil(camera.cy)) + 1
        rows = np.arange(first, camera.height, dtype=np.float32) + 0.5
        z = (camera.focal * EYE_HEIGHT / (rows - camera.cy))[:, None]
        metre = z / camera.focal
        columns = np.arange(camera.width, dtype=np.float32)[None, :] + 0.5
        x = (columns - camera.cx) * metre - camera.bend(z)
        weights = self._weights(x, z, metre, travel)
        colour = np.einsum("kc,krw->crw", self.palette, weights)
        colour *= 1 + self._texture(x, z, metre, travel)
        return np.moveaxis(self._light(colour, x, z, air), 0, -1)

    def _weights(self, x: Field, z: Field, metre: Field, travel: float) -> Field:
        """How much of each palette entry shows in each pixel, (entry, row, column); sums to one."""
        off = np.abs(x - self.tracks[0])
        for centre in self.tracks[1:]:
            np.minimum(off, np.abs(x - centre), out=off)
        edge = self._sample(self.coarse, x, z + travel, 1.3) * 0.18
        ballast = np.clip((2.15 + edge - off) / (metre + 0.25) + 0.5, 0, 1)
        sleeper = np.clip((1.28 - off) / (metre + 0.05) + 0.5, 0, 1) * self._sleepers(z, travel, metre)
        rail = np.abs(off - GAUGE_HALF)
        foot = np.clip((0.11 - rail) / metre + 0.5, 0, 1) * np.minimum(1, 0.2 / metre)
        head = np.clip((0.045 - rail) / metre + 0.5, 0, 1) * np.minimum(1, 0.1 / metre)
        layers = np.empty((5, *x.shape), dtype=np.float32)
        rest = 1 - head
        layers[4] = head
        for index, cover in ((3, foot), (2, sleeper), (1, ballast)):
            np.multiply(rest, cover, out=layers[index])
            rest -= layers[index]
        layers[0] = rest
        return layers

    def _sleepers(self, z: Field, travel: float, metre: Field) -> Field:
        """Share of sleeper per row, fading to its mean where a row spans more than half a pitch."""
        thickness = z * metre / EYE_HEIGHT
        sharp = np.clip(1.2 - thickness / SLEEPER_PITCH * 1.6, 0, 1)
        wave = np.cos(2 * np.pi * ((z + travel) / SLEEPER_PITCH % 1))
        stripe = np.clip(wave * 2.2 + 0.35, 0, 1)
        return np.asarray(stripe * sharp + 0.45 * (1 - sharp), dtype=np.float32)

    def _texture(self, x: Field, z: Field, metre: Field, travel: float) -> Field:
        along = z + travel
        thickness = z * metre / EYE_HEIGHT
        detail = np.clip(0.11 / thickness, 0, 1) * self._sample(self.fine, x, along, 18) * 0.13
        return np.asarray(detail + self._sample(self.coarse, x, along, 3) * 0.07, dtype=np.float32)

    def _sample(self, tile: Field, x: Field, along: Field, per_metre: float) -> Field:
        rows = (along * per_metre).astype(np.int32) & (_TILE - 1)
        columns = (x * per_metre).astype(np.int32) & (_TILE - 1)
        return tile[rows, columns]

    def _light(self, colour: Field, x: Field, z: Field, air: Atmosphere) -> NDArray[np.uint8]:
        clear = np.exp(-air.extinction * z)
        if air.headlight:
            beam = air.headlight * np.exp(-z / BEAM_REACH - np.square(x / (2.5 + 0.12 * z)))
        for plane, gain, far in zip(colour, air.ambient, air.horizon, strict=True):
            plane *= (gain + beam) * clear if air.headlight else gain * clear
            plane += far * (1 - clear)
        return np.clip(colour, 0, 255, out=colour).astype(np.uint8)


def make_ground(tracks: tuple[float, ...], air: Atmosphere, rng: np.random.Generator) -> Ground:
    """The ground of one sequence; colours, wear and texture are drawn from `rng`."""
    verge = np.asarray(_GRASS[str(rng.choice(list(_GRASS)))], dtype=float)
    grey = rng.uniform(0.75, 1.15)
    warm = rng.uniform(-10, 16)
    ballast = np.asarray((124 + warm, 116, 108 - warm)) * grey
    sleeper = np.asarray((150, 146, 138) if rng.random() < 0.6 else (84, 68, 56), dtype=float)
    palette = np.stack([verge, ballast, sleeper, np.asarray((86, 62, 48)), np.asarray((176, 180, 186))])
    wet = {"rain": 0.8}.get(air.weather, 1.0)
    palette[:4] *= rng.uniform(0.85, 1.1) * wet
    if air.weather == "snow":
        cover = np.asarray((0.92, 0.7, 0.55, 0.2, 0.0))[:, None]
        palette += (np.asarray(_SNOW) - palette) * cover
    return Ground(tracks, palette.astype(np.float32), tileable(rng, _TILE, 0.1), tileable(rng, _TILE, 1.0))
