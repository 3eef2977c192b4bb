"""Training curves."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from lab_utils.palette import colour

_BUILT_IN = ("train:cross_entropy", "train:smooth_l1")


def draw(history: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw the losses (left) and `validation:*` scores from 0 to 1 (right) over `iteration`.

    Losses are `training:*` and `validation:*` with "loss" in their names, and those of SageMaker's built-in algorithm.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    columns = history.columns.astype(str)
    training = [c for c in columns if (c.startswith("training:") and "loss" in c) or c in _BUILT_IN]
    losses = [c for c in columns if c.startswith("validation:") and "loss" in c]
    scores = [c for c in columns if c.startswith("validation:") and "loss" not in c]
    for column in [*training, *losses]:
        points = history[["iteration", column]].dropna()
        main = column.endswith(":loss")
        marker = "o" if len(points) == 1 else None  # a line needs two points
        left.plot(*points.T.to_numpy(), marker=marker, label=column, lw=2 if main else 1, alpha=1 if main else 0.6)
    for column in scores:
        points = history[["iteration", column]].dropna()
        right.plot(*points.T.to_numpy(), marker="o", label=column.partition(":")[2])
    step = "epoch" if "epoch" in columns and (history["epoch"] == history["iteration"]).all() else "iteration"
    left.set(xlabel=step, xlim=(0, None), ylabel="loss", ylim=(0, None), title="Loss")
    right.set(xlabel=step, xlim=(0, None), ylim=(0, 1), title="Validation, whole set")
    for axis in (left, right):
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    return figure


def compare(histories: Mapping[str, pd.DataFrame], *, score: str = "AP50") -> Figure:
    """Draw several jobs' curves over `iteration` into one picture: loss in training, loss in validation, and a score.

    Args:
        histories: name -> a job's history; names that start alike up to a comma share a colour, and the second of
            them is dashed.
        score: the metric `validation:SCORE`.
    """
    import matplotlib.pyplot as plt

    panels = {"training:loss": "Loss in training", "validation:loss": "Loss in validation"}
    panels |= {f"validation:{score}": f"{score}, validation set"}
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    kinds = [name.partition(",")[0] for name in histories]
    colours = {kind: colour(i) for i, kind in enumerate(dict.fromkeys(kinds))}
    for axis, (column, title) in zip(axes, panels.items(), strict=True):
        for i, (name, history) in enumerate(histories.items()):
            points = history[["iteration", column]].dropna().to_numpy().T
            style = "--" if kinds[i] in kinds[:i] else "-"
            marker = "o" if points.shape[1] < 12 else None
            axis.plot(*points, style, color=colours[kinds[i]], marker=marker, ms=4, lw=1.6, label=name)
        axis.set(xlabel="iteration", xlim=(0, None), ylim=(0, 1 if column.endswith(score) else None), title=title)
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    plt.close(figure)
    return figure
