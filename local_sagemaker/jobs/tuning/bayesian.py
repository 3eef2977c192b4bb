"""The Bayesian strategy: a Gaussian process learns the objective, expected improvement chooses what to try."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from local_sagemaker.jobs.tuning.gaussian import Array, GaussianProcess, Numbers, expected_improvement
from local_sagemaker.jobs.tuning.search import RandomSearch, Trial, key
from local_sagemaker.jobs.tuning.space import Space

_RANDOM = 3  # trials before there is anything to learn from
_MOST = 200  # trials that are learnt from: the best and the last; the cost grows with their cube
_APART = 0.2  # how far another tuning job is thought to be from this one before there is more to tell, in the unit cube
_EVEN, _NEAR, _CLOSE = 1000, 400, 100  # candidates everywhere, around the best, around the winner


class BayesianSearch:
    """Learns from the trials that have a loss; those that run or failed are taken to be as predicted."""

    def __init__(self, space: Space, seed: int | None) -> None:
        self._space, self._random = space, RandomSearch(space, seed)
        self._rng = np.random.default_rng(seed)
        self._groups = np.repeat(np.arange(len(space.widths)), space.widths)

    def suggest(self, trials: Sequence[Trial]) -> dict[str, str] | None:
        known = [trial for trial in trials if trial.loss is not None and self._space.encode(trial.values)]
        if len(known) < _RANDOM or (proposal := self._random.suggest(trials)) is None:
            return self._random.suggest(trials)
        known = _informative(known)
        points, losses, task = self._points(known), _standardised(known), _tasks(known)
        open_ = [trial for trial in trials if trial.loss is None and trial.parent is None]
        model = _Model(points, losses, task, self._groups, self._rng)
        if open_:
            pending = self._points(open_)
            means, _ = model.predict(pending)
            model = model.told(pending, means)
        tried = {key(trial.values) for trial in trials if trial.parent is None}
        return self._best(model, points[np.argsort(losses)[:3]], tried) or proposal

    def _best(self, model: _Model, tops: Array, tried: set[frozenset[tuple[str, str]]]) -> dict[str, str] | None:
        """The untried candidate with the largest expected improvement."""
        width = tops.shape[1]
        candidates = np.vstack([self._rng.random((_EVEN, width)), self._near(tops)])
        for spread in (0.05, 0.02, 0.01, 0.003):
            candidates = self._snapped(candidates)
            order = np.argsort(-model.improvement(candidates))
            row = next((row for row in order if key(self._space.decode(candidates[row])) not in tried), None)
            if row is None:
                return None
            best = candidates[row]
            around = best + self._rng.normal(0, spread, (_CLOSE, width))
            candidates = np.vstack([best, np.clip(around, 0, 1)])
        return self._space.decode(best)

    def _near(self, tops: Array) -> Array:
        """Points around the best ones, at all distances, some hyperparameters anew."""
        start = tops[self._rng.integers(len(tops), size=_NEAR)]
        spread = np.exp(self._rng.uniform(math.log(0.003), math.log(0.2), (_NEAR, 1)))
        moved = start + self._rng.normal(0, 1, start.shape) * spread
        anew = (self._rng.random((_NEAR, len(self._space.widths))) < 0.15)[:, self._groups]
        return np.clip(np.where(anew, self._rng.random(start.shape), moved), 0, 1)

    def _snapped(self, points: Array) -> Array:
        """The points where the hyperparameters that they stand for really lie: integers and categories are steps."""
        if all(parameter.choices is None for parameter in self._space.parameters):
            return points
        return np.array([self._space.encode(self._space.decode(point)) for point in points])

    def _points(self, trials: Sequence[Trial]) -> Array:
        return np.array([self._space.encode(trial.values) for trial in trials], dtype=np.float64)


class _Model:
    """The process over hyperparameters and one more column: 0 for this tuning job, _APART for another one's trials.

    How far the two lie apart is learnt like every other length, so a parent counts as much as it resembles.
    """

    def __init__(
        self,
        points: Array,
        losses: Array,
        task: Array,
        groups: Numbers,
        rng: np.random.Generator,
        scales: Array | None = None,
    ) -> None:
        self._groups, self._rng = groups, rng
        self._points, self._losses, self._task = points, losses, task
        columns = np.append(groups, groups.max() + 1)
        self._process = GaussianProcess(np.column_stack([points, task]), losses, columns, rng, scales)
        own = losses[task == 0]
        self._least = float((own if len(own) else losses).min())

    def predict(self, points: Array) -> tuple[Array, Array]:
        return self._process.predict(np.column_stack([points, np.zeros(len(points))]))

    def told(self, points: Array, losses: Array) -> _Model:
        """The model that has also seen these points of this tuning job."""
        task = np.append(self._task, np.zeros(len(points)))
        everything = np.vstack([self._points, points]), np.append(self._losses, losses)
        return _Model(*everything, task, self._groups, self._rng, self._process.scales)

    def improvement(self, points: Array) -> Array:
        return expected_improvement(*self.predict(points), self._least)


def _informative(trials: list[Trial]) -> list[Trial]:
    if len(trials) <= _MOST:
        return trials
    best = sorted(trials, key=lambda trial: trial.loss or 0.0)[: _MOST // 2]
    return best + [trial for trial in trials if trial not in best][-_MOST // 2 :]


def _tasks(trials: Sequence[Trial]) -> Array:
    return np.array([_APART * (trial.parent is not None) for trial in trials])


def _standardised(trials: Sequence[Trial]) -> Array:
    """Losses around 0 and of the size of 1, by tuning job: another one's may be of another size."""
    losses = np.array([trial.loss for trial in trials], dtype=np.float64)
    jobs = np.array([trial.parent or "" for trial in trials])
    pooled = _scaled(losses)
    for job in set(jobs.tolist()):
        mine = losses[jobs == job]
        if np.ptp(mine) > 0:
            pooled[jobs == job] = _scaled(mine)
    return pooled


def _scaled(losses: Array) -> Array:
    """Training that diverged counts as bad, not as so bad that all the rest looks alike."""
    least, usual = losses.min(), np.quantile(losses, 0.75)
    tame = np.minimum(losses, usual + 3 * (usual - least)) if usual > least else losses
    return np.asarray((tame - tame.mean()) / (tame.std() or 1.0))
