"""TensorBoard's event files as a table and as curves, without TensorFlow.

The curves' names are the Object Detection API's: `Loss/classification_loss`, `DetectionBoxes_Precision/mAP@.50IOU`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lab_utils.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVES = (  # what one looks at first
    "Loss/total_loss",
    "Loss/classification_loss",
    "Loss/localization_loss",
    "DetectionBoxes_Precision/mAP@.50IOU",
    "DetectionBoxes_Precision/mAP",
    "learning_rate",
)


def read(folder: str | Path) -> pd.DataFrame:
    """All curves below a folder, one row a point: `run` (a folder below it), `tag`, `step` and `value`.

    Raises:
        DataError: no event file is below the folder, or none has a curve.
    """
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.util.tensor_util import make_ndarray

    events = EventMultiplexer(size_guidance={"tensors": 0}).AddRunsFromDirectory(str(folder)).Reload()
    rows: list[tuple[Any, ...]] = [
        (run, tag, event.step, float(make_ndarray(event.tensor_proto)))
        for run, kinds in sorted(events.Runs().items())
        for tag in kinds["tensors"]
        for event in events.Tensors(run, tag)
        if not event.tensor_proto.tensor_shape.dim
    ]
    if not rows:
        raise DataError(f"{folder}: expected event files (events.out.tfevents.*) with curves, found none")
    return pd.DataFrame(rows, columns=["run", "tag", "step", "value"])


def draw(points: pd.DataFrame, tags: Sequence[str] = CURVES) -> Figure:
    """One plot a tag, one line a run, as TensorBoard shows them; tags without points are left out."""
    import matplotlib.pyplot as plt

    shown = [tag for tag in tags if tag in set(points["tag"])]
    figure, axes = plt.subplots(-(-len(shown) // 3), 3, figsize=(11, 2.7 * -(-len(shown) // 3)), layout="constrained")
    for axis, tag in zip(axes.flat, shown, strict=False):
        for run, line in points[points["tag"] == tag].groupby("run"):
            axis.plot(line["step"], line["value"], marker="o" if len(line) < 20 else None, label=run)
        axis.set_title(tag, fontsize=9)
        axis.set(xlabel="step", ylim=(0, None))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    for axis in axes.flat[len(shown) :]:
        axis.remove()
    plt.close(figure)
    return figure
