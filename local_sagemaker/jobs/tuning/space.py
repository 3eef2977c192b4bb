"""The space of a tuning job's hyperparameters, mapped to the unit cube and back to the strings that jobs get."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

_AUTO_LOGARITHMIC = 100.0  # Auto takes the logarithm of a positive range that spans at least this factor

Ranges = Mapping[str, Any]
"""AWS's ParameterRanges."""

Scale = Callable[[float], float]


class SpaceError(ValueError):
    """A range that cannot be searched; the message names the hyperparameter and what is wrong."""


class Parameter(Protocol):
    """One hyperparameter: ``width`` coordinates of the unit cube."""

    name: str
    width: int

    @property
    def choices(self) -> int | None:
        """How many values there are; None without end."""

    def decode(self, unit: Sequence[float]) -> str: ...

    def encode(self, value: str) -> list[float]:
        """Raises ValueError for a value that has no place in the range's scale."""


class Number:
    """An integer or continuous range."""

    width = 1

    def __init__(self, given: Mapping[str, str], *, integer: bool) -> None:
        self.name, self._integer = given["Name"], integer
        self.low, self.high = self._bound(given, "MinValue"), self._bound(given, "MaxValue")
        if self.low >= self.high:
            raise SpaceError(
                f"The range of hyperparameter {self.name} is not valid: MinValue {given['MinValue']} must be less "
                f"than MaxValue {given['MaxValue']}."
            )
        self._scale, self._unscale = self._chosen_scale(given.get("ScalingType", "Auto"))
        half = 0.5 if integer else 0.0  # so that rounding gives every integer its share
        self._from, self._to = self._scale(self.low - half), self._scale(self.high + half)
        if not self._from < self._to:
            raise SpaceError(f"The range of hyperparameter {self.name} is too narrow for its scale.")

    @property
    def choices(self) -> int | None:
        return int(self.high - self.low) + 1 if self._integer else None

    def decode(self, unit: Sequence[float]) -> str:
        value = self._unscale(self._from + unit[0] * (self._to - self._from))
        value = min(max(value, self.low), self.high)
        return str(min(max(round(value), int(self.low)), int(self.high))) if self._integer else repr(value)

    def encode(self, value: str) -> list[float]:
        unit = (self._scale(float(value)) - self._from) / (self._to - self._from)
        if not math.isfinite(unit):
            raise ValueError(f"{value} is no value of {self.name}")
        return [unit]

    def _bound(self, given: Mapping[str, str], member: str) -> float:
        try:
            value = float(int(given[member])) if self._integer else float(given[member])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            kind = "an integer" if self._integer else "a number"
            raise SpaceError(f"{member} of hyperparameter {self.name} must be {kind}, not {given[member]!r}.")
        return value

    def _chosen_scale(self, name: str) -> tuple[Scale, Scale]:
        """To the scale on which values are drawn evenly, and back."""
        if name == "Logarithmic" and self.low <= 0:
            raise SpaceError(
                f"Hyperparameter {self.name}: Logarithmic scaling needs a range of values greater than 0, "
                f"and its MinValue is {self.low:g}."
            )
        if name == "ReverseLogarithmic":
            if self._integer:
                raise SpaceError(f"Hyperparameter {self.name}: ReverseLogarithmic scaling needs a continuous range.")
            if self.low < 0 or self.high >= 1:
                raise SpaceError(
                    f"Hyperparameter {self.name}: ReverseLogarithmic scaling needs a range within 0 <= x < 1."
                )
        wide = self.low > 0 and self.high / self.low >= _AUTO_LOGARITHMIC
        if name == "Logarithmic" or (name == "Auto" and wide):
            return math.log, math.exp
        if name == "ReverseLogarithmic":
            return (lambda value: -math.log(1 - value)), (lambda scaled: 1 - math.exp(-scaled))
        return float, float


class Category:
    """A categorical range: one coordinate per value, of which the largest wins."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.name, self.values = given["Name"], list(given["Values"])
        if len(set(self.values)) < len(self.values):
            raise SpaceError(f"The values of hyperparameter {self.name} must be different from each other.")
        self.width = len(self.values)

    @property
    def choices(self) -> int | None:
        return self.width

    def decode(self, unit: Sequence[float]) -> str:
        return str(self.values[max(range(self.width), key=unit.__getitem__)])

    def encode(self, value: str) -> list[float]:
        place = self.values.index(value)
        return [float(number == place) for number in range(self.width)]


class Space:
    """All hyperparameters that are tuned."""

    def __init__(self, ranges: Ranges) -> None:
        """Raises SpaceError."""
        self.categories = [Category(given) for given in ranges.get("CategoricalParameterRanges", [])]
        integers = [Number(given, integer=True) for given in ranges.get("IntegerParameterRanges", [])]
        numbers = [Number(given, integer=False) for given in ranges.get("ContinuousParameterRanges", [])]
        self.parameters: list[Parameter] = [*integers, *numbers, *self.categories]
        self.names = [parameter.name for parameter in self.parameters]
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise SpaceError(f"Hyperparameter {twice} has more than one range.")
        self.widths = [parameter.width for parameter in self.parameters]

    @property
    def combinations(self) -> int | None:
        """How many different points there are; None without end."""
        counts = [parameter.choices for parameter in self.parameters]
        return None if None in counts else math.prod(count or 0 for count in counts)

    def decode(self, point: Sequence[float]) -> dict[str, str]:
        """The hyperparameters at a point of the unit cube."""
        values, start = {}, 0
        for parameter in self.parameters:
            values[parameter.name] = parameter.decode(point[start : start + parameter.width])
            start += parameter.width
        return values

    def encode(self, values: Mapping[str, str]) -> list[float] | None:
        """The point of these hyperparameters; None when one is missing or has no place in its range."""
        try:
            return [unit for parameter in self.parameters for unit in parameter.encode(values[parameter.name])]
        except (KeyError, ValueError):
            return None
