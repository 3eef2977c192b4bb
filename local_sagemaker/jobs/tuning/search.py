"""What to try next: the strategies Random (Hyperband's too) and Grid, and the choice among all of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from local_sagemaker.jobs.tuning.space import Space

_TRIES = 1000


@dataclass(frozen=True)
class Trial:
    """Hyperparameters that were or are being tried.

    ``loss`` is the objective, less is better; None as long as there is none. ``parent`` names the tuning job of a
    warm start that tried them.
    """

    values: dict[str, str]
    loss: float | None = None
    parent: str | None = None


class Search(Protocol):
    """A strategy."""

    def suggest(self, trials: Sequence[Trial]) -> dict[str, str] | None:
        """The hyperparameters to try after these trials; None when there is nothing left."""


class RandomSearch:
    """Values drawn evenly from their scaled ranges; none twice while there are others."""

    def __init__(self, space: Space, seed: int | None) -> None:
        self._space, self._random = space, random.Random(seed)

    def suggest(self, trials: Sequence[Trial]) -> dict[str, str] | None:
        tried = {key(trial.values) for trial in trials if trial.parent is None}
        if self._space.combinations is not None and len(tried) >= self._space.combinations:
            return None
        for _ in range(_TRIES):
            values = self._space.decode([self._random.random() for _ in range(sum(self._space.widths))])
            if key(values) not in tried:
                break
        return values


class GridSearch:
    """Every combination of categorical values once, in the order of the request."""

    def __init__(self, space: Space) -> None:
        self._names = [category.name for category in space.categories]
        self._left = itertools.product(*(category.values for category in space.categories))

    def suggest(self, trials: Sequence[Trial]) -> dict[str, str] | None:
        values = next(self._left, None)
        return None if values is None else dict(zip(self._names, values, strict=True))


def key(values: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """By which equal hyperparameters are found."""
    return frozenset(values.items())


def make(strategy: str, space: Space, seed: int | None) -> Search:
    """The search of a tuning job's Strategy."""
    if strategy == "Grid":
        return GridSearch(space)
    if strategy == "Bayesian":
        from local_sagemaker.jobs.tuning.bayesian import BayesianSearch  # numpy: only a server that tunes pays for it

        return BayesianSearch(space, seed)
    return RandomSearch(space, seed)
