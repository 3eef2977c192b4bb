"""Several models on one test split: how good each is, how sure that is, and where they disagree.

Intervals are 95 % percentile bootstrap intervals over groups (sequences, tracks, clips): frames of one sequence are
alike, so that drawing single frames would promise too much. All models are held against the same draws, which makes
their differences paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError
from lab_utils.matching import COCO_IOUS, match
from lab_utils.metrics import check_predictions
from lab_utils.precision import average_precision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS = ("AP50", "AP")
_LEVEL = (2.5, 97.5)


@dataclass(frozen=True)
class Comparison:
    """Result of `compare_models`.

    Attributes:
        values: model -> metric -> its value on the split, as `metrics.evaluate` gives it.
        draws: model -> metric -> float64 [resamples]; draw i is the same groups for every model.
        groups: number of groups drawn from.
    """

    values: dict[str, dict[str, float]]
    draws: dict[str, dict[str, NDArray[np.float64]]]
    groups: int

    def interval(self, model: str, metric: str) -> tuple[float, float]:
        """The ends of the 95 % interval."""
        return _interval(self.draws[model][metric])

    def table(self, columns: Mapping[str, Mapping[str, Any]] | None = None) -> pd.DataFrame:
        """One row a model: each metric with its interval, then the further `columns`, name -> model -> value.

        Raises:
            ConfigError: a column says nothing of a model, or of one that is not compared.
        """
        rows: dict[str, dict[str, Any]] = {}
        for model, values in self.values.items():
            row = rows.setdefault(model, {})
            for metric, value in values.items():
                low, high = self.interval(model, metric)
                row |= {metric: value, f"{metric} low": low, f"{metric} high": high}
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
        for name, column in (columns or {}).items():
            if set(column) != set(rows):
                raise ConfigError(f"column {name!r}: values for {', '.join(column)}; expected {', '.join(rows)}")
            table[name] = pd.Series(column)
        return table

    def differences(self) -> pd.DataFrame:
        """One row a pair of models and metric: `difference` (first less second), its interval, and whether that leaves
        out 0 (`clear`)."""
        rows = []
        for (a, b), metric in ((pair, metric) for pair in combinations(self.values, 2) for metric in METRICS):
            low, high = _interval(self.draws[a][metric] - self.draws[b][metric])
            value = self.values[a][metric] - self.values[b][metric]
            rows.append((a, b, metric, value, low, high, low > 0 or high < 0))
        return pd.DataFrame(rows, columns=["model", "than", "metric", "difference", "low", "high", "clear"])

    def figure(self) -> Figure:
        """Each model's metrics as dots with their intervals."""
        import matplotlib.pyplot as plt

        from lab_utils.palette import colour

        height = 1.2 + 0.45 * len(self.values)
        figure, axes = plt.subplots(1, len(METRICS), figsize=(10, height), sharey=True, layout="constrained")
        places = np.arange(len(self.values))
        for axis, metric in zip(axes, METRICS, strict=True):
            for i, model in enumerate(self.values):
                value, (low, high) = self.values[model][metric], self.interval(model, metric)
                axis.plot([low, high], [i, i], color=colour(i), lw=3, alpha=0.6, solid_capstyle="round")
                axis.plot(value, i, "o", color=colour(i), ms=8)
                axis.annotate(f"{value:.2f}", (value, i), (0, 7), textcoords="offset points", ha="center", fontsize=9)
            axis.set(title=metric, xlim=(0, 1), ylim=(len(places) - 0.4, -0.7), yticks=places)
            axis.set_yticklabels(list(self.values))
            axis.grid(axis="x", alpha=0.3)
        figure.supxlabel(f"95 % bootstrap intervals over {self.groups} groups", fontsize=9)
        plt.close(figure)
        return figure


def compare_models(
    dataset: DetectionDataset,
    models: Mapping[str, pd.DataFrame],
    *,
    by: str = "group",
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Hold the detections of several models against one split.

    Args:
        models: name -> detections, as `metrics.evaluate` takes them.
        by: column of `images` whose values are drawn.
        resamples: number of draws.
        seed: of the draws.

    Raises:
        ConfigError: no model, no such column, or fewer than two groups.
        DataError: detections that `metrics.evaluate` would refuse.
    """
    weights = _draws(dataset, by, resamples, seed)
    values, draws = {}, {}
    for model, predictions in models.items():
        check_predictions(dataset, predictions)
        precision = average_precision(match(dataset, predictions, COCO_IOUS), weights)
        of_class = {"AP50": precision[:, 0], "AP": precision.mean(axis=1)}
        means = {metric: _mean(of_class[metric]) for metric in METRICS}
        values[model] = {metric: float(means[metric][0]) for metric in METRICS}
        draws[model] = {metric: means[metric][1:] for metric in METRICS}
    if not values:
        raise ConfigError("models: none; expected at least one, name -> detections")
    return Comparison(values, draws, dataset.images[by].nunique())


def _draws(dataset: DetectionDataset, by: str, resamples: int, seed: int) -> NDArray[np.float64]:
    """Weights of the images, [1 + resamples, images]; the first row is the split as it is."""
    if by not in dataset.images:
        raise ConfigError(f"by={by!r}: no such column; expected one of {', '.join(map(str, dataset.images))}")
    codes, groups = pd.factorize(dataset.images[by], sort=True)
    if len(groups) < 2:
        raise ConfigError(f"by={by!r}: {len(groups)} groups; expected at least two to draw from")
    counts = np.random.default_rng(seed).multinomial(len(groups), np.full(len(groups), 1 / len(groups)), resamples)
    return np.vstack([np.ones(len(codes)), counts[:, codes]])


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the classes that a draw holds objects of, [draws]; NaN where it holds none."""
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    defined = draws[~np.isnan(draws)]
    if not defined.size:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, _LEVEL)
    return float(low), float(high)
