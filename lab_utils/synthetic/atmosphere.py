"""Light and weather: what happens to a colour on its way from an object to the camera."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
LIGHTS = ("day", "dusk", "night")
WEATHERS = ("clear", "rain", "fog", "snow")

_AMBIENT = {"day": (1.0, 1.0, 1.0), "dusk": (0.66, 0.53, 0.54), "night": (0.13, 0.15, 0.22)}
_ZENITH = {"day": (72, 124, 196), "dusk": (52, 62, 112), "night": (7, 10, 24)}
_HORIZON = {"day": (196, 214, 228), "dusk": (236, 158, 104), "night": (26, 30, 48)}
_OVERCAST = {"day": (176, 183, 190), "dusk": (128, 112, 118), "night": (24, 26, 36)}
# Extinction per metre; at 90 m the thickest fog still leaves a third of an object's contrast.
_EXTINCTION = {"clear": (0.0004, 0.0012), "rain": (0.002, 0.004), "fog": (0.008, 0.012), "snow": (0.003, 0.006)}


@dataclass(frozen=True)
class Atmosphere:
    """Colours are 0-255 floats, `extinction` is per metre, `headlight` is the beam's strength."""

    light: str
    weather: str
    ambient: NDArray[np.float32]
    zenith: NDArray[np.float32]
    horizon: NDArray[np.float32]
    extinction: float
    headlight: float

    def haze(self, z: NDArray[np.float32] | float) -> NDArray[np.float32]:
        """Share of the light that is haze at `z` metres."""
        return np.asarray(1 - np.exp(-self.extinction * np.asarray(z)), dtype=np.float32)

    def beam(self, z: NDArray[np.float32] | float) -> NDArray[np.float32]:
        """Light of the train's own headlights on an object at `z` metres."""
        return np.asarray(self.headlight * np.exp(-np.asarray(z) / 110), dtype=np.float32)

    def shade(self, colour: Colour, z: float, reflect: float = 1.0) -> Colour:
        """`colour` of an object at `z` metres; `reflect` is how much of the headlights it sends back."""
        lit = np.asarray(colour) * (self.ambient + reflect * self.beam(z))
        return self._through_haze(lit, float(self.haze(z)))

    def glow(self, colour: Colour, z: float) -> Colour:
        """Colour of a lamp at `z` metres, which pierces the haze better than what it lights."""
        return self._through_haze(np.asarray(colour, dtype=np.float32), 0.45 * float(self.haze(z)))

    def _through_haze(self, colour: NDArray[np.float32], haze: float) -> Colour:
        r, g, b = np.clip(colour + (self.horizon - colour) * haze, 0, 255).astype(int).tolist()
        return r, g, b


def make_atmosphere(light: str, weather: str, rng: np.random.Generator) -> Atmosphere:
    """The air of one sequence."""
    cover = {"clear": rng.uniform(0, 0.35), "rain": 0.9, "fog": 1.0, "snow": 0.92}[weather]
    tint = rng.uniform(0.9, 1.1, 3).astype(np.float32)
    overcast = np.asarray(_OVERCAST[light], dtype=np.float32)
    ambient = np.asarray(_AMBIENT[light], dtype=np.float32) * tint * rng.uniform(0.85, 1.1)
    if light == "day":
        ambient *= 1 - 0.25 * cover
    low, high = _EXTINCTION[weather]
    return Atmosphere(
        light=light,
        weather=weather,
        ambient=ambient.astype(np.float32),
        zenith=_mix(np.asarray(_ZENITH[light]) * tint, overcast * 0.82, cover),
        horizon=_mix(np.asarray(_HORIZON[light]) * tint, overcast, cover),
        extinction=rng.uniform(low, high),
        headlight={"day": 0.0, "dusk": 0.25, "night": 0.75}[light],
    )


def _mix(a: NDArray[np.float64], b: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    return np.clip(a * (1 - share) + b * share, 0, 255).astype(np.float32)
