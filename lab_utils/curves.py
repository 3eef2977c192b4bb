"""Training curves."""

import pandas as pd
from matplotlib.figure import Figure

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
