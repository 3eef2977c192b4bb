"""Which training jobs of a tuning job end early, judged by the objective values that they have logged so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any, Protocol

_PREVIOUS = 3  # ended jobs that the median rule wants before it judges
_FACTOR = 3  # Hyperband lets one in so many jobs pass a rung
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
MAX_EPOCHS = 20_000


class Stopping(Protocol):
    """A rule. Losses are objective values, less is better, one per epoch."""

    def started(self, job: str) -> None:
        """A job has begun."""

    def hopeless(self, job: str, losses: Sequence[float], ended: Iterable[Sequence[float]]) -> bool:
        """Whether a running job should stop after the last of its ``losses``; ``ended`` are those of earlier jobs.

        Has to be asked once for every value, in their order.
        """


class NoStopping:
    """TrainingJobEarlyStoppingType Off."""

    def started(self, job: str) -> None:
        """Nothing to do."""

    def hopeless(self, job: str, losses: Sequence[float], ended: Iterable[Sequence[float]]) -> bool:
        return False


class MedianRule:
    """TrainingJobEarlyStoppingType Auto, as AWS's developer guide gives it.

    A job stops when its objective is worse than the median of earlier jobs' running averages up to the same epoch.
    """

    def started(self, job: str) -> None:
        """Nothing to do."""

    def hopeless(self, job: str, losses: Sequence[float], ended: Iterable[Sequence[float]]) -> bool:
        epoch = len(losses)
        averages = [fmean(earlier[:epoch]) for earlier in ended if len(earlier) >= epoch]
        return len(averages) >= _PREVIOUS and losses[-1] > median(averages)


class Hyperband:
    """Asynchronous Hyperband, as Li et al. (A System for Massively Parallel Hyperparameter Tuning) describe it.

    A resource is one logged value of the objective. Rungs lie at ``least`` times the powers of 3. Of the jobs that
    came to a rung only the best third goes on. Brackets differ in their lowest rung, so that jobs which start slowly
    have their chance too.
    """

    def __init__(self, least: int, most: int) -> None:
        self._most = most
        rungs = [least]
        while rungs[-1] * _FACTOR < most:
            rungs.append(rungs[-1] * _FACTOR)
        if rungs[-1] >= most:
            rungs.pop()
        self._brackets: list[dict[int, list[float]]] = [
            {rung: [] for rung in rungs[first:]} for first in range(len(rungs) + 1)
        ]
        last = len(rungs)
        self._shares = [_FACTOR ** (last - first) * (last + 1) / (last - first + 1) for first in range(last + 1)]
        self._sizes = [0] * len(self._brackets)
        self._bracket: dict[str, int] = {}

    def started(self, job: str) -> None:
        """Put the job into the bracket that has the fewest jobs for its share."""
        chosen = min(range(len(self._sizes)), key=lambda number: (self._sizes[number] + 1) / self._shares[number])
        self._sizes[chosen] += 1
        self._bracket[job] = chosen

    def hopeless(self, job: str, losses: Sequence[float], ended: Iterable[Sequence[float]]) -> bool:
        if len(losses) > self._most:
            return True
        rung = self._brackets[self._bracket[job]].get(len(losses))
        if rung is None:
            return False
        rung.append(losses[-1])
        places = len(rung) // _FACTOR
        return places > 0 and losses[-1] > sorted(rung)[places - 1]


def hyperband_resources(config: Mapping[str, Any], static: Mapping[str, str]) -> tuple[int, int]:
    """MinResource and MaxResource, which AWS takes from the static hyperparameters when the request has none.

    Raises ValueError, worded for the client.
    """
    given = config.get("HyperbandStrategyConfig", {})
    inferred = next((static[name] for name in _EPOCHS if name in static), "")
    try:
        most = int(given.get("MaxResource", inferred))
    except ValueError:
        raise ValueError(
            "Hyperband needs HyperbandStrategyConfig.MaxResource, or one of the static hyperparameters "
            f"{', '.join(_EPOCHS)} to take it from."
        ) from None
    least = given.get("MinResource", 1)
    if not least < most <= MAX_EPOCHS:
        raise ValueError(
            f"HyperbandStrategyConfig: MinResource {least} must be less than MaxResource {most}, "
            f"and that at most {MAX_EPOCHS}."
        )
    return least, most


def make(config: Mapping[str, Any], static: Mapping[str, str]) -> Stopping:
    """The rule of a HyperParameterTuningJobConfig."""
    if config["Strategy"] == "Hyperband":
        return Hyperband(*hyperband_resources(config.get("StrategyConfig", {}), static))
    return MedianRule() if config.get("TrainingJobEarlyStoppingType") == "Auto" else NoStopping()
