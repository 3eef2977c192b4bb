"""Light and weather: what happens to a colour on its way from an object to the camera."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Triple = tuple[float, float, float]
BEAM_REACH = 110.0
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
    """Colours are 0-255, `ambient` is a gain per channel, `extinction` is per metre, `headlight` a strength."""

    light: str
    weather: str
    ambient: Triple
    zenith: Triple
    horizon: Triple
    extinction: float
    headlight: float

    def haze(self, z: float) -> float:
        """Share of the light that is haze at `z` metres."""
        return 1 - math.exp(-self.extinction * z)

    def beam(self, z: float) -> float:
        """Light of the train's own headlights on an object at `z` metres."""
        return self.headlight * math.exp(-z / BEAM_REACH)

    def shade(self, colour: Colour, z: float, reflect: float = 1.0) -> Colour:
        """`colour` of an object at `z` metres; `reflect` is how much of the headlights it sends back."""
        beam = reflect * self.beam(z)
        r, g, b = (c * (gain + beam) for c, gain in zip(colour, self.ambient, strict=True))
        return self._through_haze((r, g, b), self.haze(z))

    def glow(self, colour: Colour, z: float) -> Colour:
        """Colour of a lamp at `z` metres, which pierces the haze better than what it lights."""
        return self._through_haze(colour, 0.45 * self.haze(z))

    def _through_haze(self, colour: Triple, haze: float) -> Colour:
        r, g, b = (min(int(c + (far - c) * haze), 255) for c, far in zip(colour, self.horizon, strict=True))
        return r, g, b


def make_atmosphere(light: str, weather: str, rng: np.random.Generator) -> Atmosphere:
    """The air of one sequence."""
    cover = {"clear": rng.uniform(0, 0.35), "rain": 0.9, "fog": 1.0, "snow": 0.92}[weather]
    tint = rng.uniform(0.9, 1.1, 3)
    ambient = np.multiply(_AMBIENT[light], tint) * rng.uniform(0.85, 1.1)
    if light == "day":
        ambient *= 1 - 0.25 * cover
    overcast = np.asarray(_OVERCAST[light])
    return Atmosphere(
        light=light,
        weather=weather,
        ambient=_triple(ambient),
        zenith=_mix(np.multiply(_ZENITH[light], tint), overcast * 0.82, cover),
        horizon=_mix(np.multiply(_HORIZON[light], tint), overcast, cover),
        extinction=float(rng.uniform(*_EXTINCTION[weather])),
        headlight={"day": 0.0, "dusk": 0.25, "night": 0.75}[light],
    )


def _mix(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> Triple:
    return _triple(np.clip(a * (1 - share) + b * share, 0, 255))


def _triple(values: NDArray[np.float64]) -> Triple:
    r, g, b = values.tolist()
    return r, g, b
