"""A Gaussian process over the unit cube: what a function may be between the points where it was seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

_STEPS = 120  # of the search for the kernel's scales
_JITTER = 1e-8
_LENGTH, _NOISE = math.log(0.5), math.log(1e-3)  # where the scales' log-normal priors lie ...
_LENGTH_SPREAD, _NOISE_SPREAD = 1.0, 2.0  # ... and how wide they are


class GaussianProcess:
    """A Matérn-5/2 process with a length per hyperparameter and noise, all chosen by marginal likelihood.

    See Rasmussen and Williams, Gaussian Processes for Machine Learning, chapters 2, 4.2 and 5.4.
    """

    def __init__(
        self, x: Array, y: Array, groups: Numbers, rng: np.random.Generator, scales: Array | None = None
    ) -> None:
        """``x`` has a row per point; ``groups`` the number of the hyperparameter that each column belongs to.

        ``y`` has one value per point, around 0 and of the size of 1. ``scales`` are those of another process,
        taken over instead of being chosen.
        """
        self._x, self._y, self._groups = x, y, groups
        self.scales = self._likeliest(rng) if scales is None else scales
        self._fit(self.scales)

    def _likeliest(self, rng: np.random.Generator) -> Array:
        """Logarithms of the lengths and of the noise, found by steps that grow smaller."""
        scales = np.append(np.full(int(self._groups.max()) + 1, _LENGTH), _NOISE)
        best, step = self._fit(scales), 0.7
        for _ in range(_STEPS):
            moved = scales + rng.normal(0, step, len(scales)) * (rng.random(len(scales)) < 0.6)
            if (probability := self._fit(moved)) > best:
                scales, best = moved, probability
            else:
                step = max(0.1, step * 0.985)
        return scales

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation at the points."""
        kernel = _matern(points / self._lengths, self._x / self._lengths)
        explained = np.linalg.solve(self._cholesky, kernel.T)
        variance = self._variance * (1 - (explained**2).sum(0))
        return kernel @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def _fit(self, scales: Array) -> float:
        """Take these logarithms of lengths and noise; the log of their posterior probability, but for a constant."""
        count = len(self._y)
        self._lengths = np.exp(scales[:-1])[self._groups]
        scaled = self._x / self._lengths
        covariance = _matern(scaled, scaled) + (math.exp(scales[-1]) + _JITTER) * np.eye(count)
        try:
            self._cholesky = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return -math.inf
        self._weights = np.linalg.solve(self._cholesky.T, np.linalg.solve(self._cholesky, self._y))
        self._variance = max(float(self._y @ self._weights) / count, 1e-12)  # the likeliest, given the rest
        likelihood = -0.5 * count * math.log(self._variance) - float(np.log(np.diag(self._cholesky)).sum())
        prior = (((scales[:-1] - _LENGTH) / _LENGTH_SPREAD) ** 2).sum() + ((scales[-1] - _NOISE) / _NOISE_SPREAD) ** 2
        return likelihood - 0.5 * float(prior)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """By how much a point is expected to fall below ``best``."""
    z = (best - mean) / deviation
    below = 0.5 * (1 + np.array([math.erf(value / math.sqrt(2)) for value in z]))
    return deviation * (z * below + np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi))


def _matern(a: Array, b: Array) -> Array:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    distance = np.sqrt(5 * np.maximum(squares, 0))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))
