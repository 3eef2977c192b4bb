"""Leaf through a data set in a notebook."""

from __future__ import annotations

import io
import os
from typing import Any

import pandas as pd

from lab_utils import figures
from lab_utils.dataset import DetectionDataset

_EVERY = "all classes"


def browse(dataset: DetectionDataset, predictions: pd.DataFrame | None = None, *, minimum_score: float = 0.5) -> Any:
    """A slider over the images and a filter by class; detections, if given, beside the truth, with a slider over the
    score from which they are drawn.

    Where nobody can move a slider (a notebook run by papermill, a script), a figure of samples instead.

    Args:
        predictions: `image_id`, `class_id`, `score`, `xmin`, `ymin`, `width`, `height`.
        minimum_score: detections below it are not drawn; where the slider stands first.

    Returns:
        An ipywidgets box, or a matplotlib Figure.
    """
    if is_live():
        return _widget(dataset, predictions, minimum_score)
    if predictions is not None:
        return figures.compare_samples(dataset, predictions, minimum_score=minimum_score)
    return figures.show_samples(dataset, n=8)


def is_live() -> bool:
    """Whether a notebook front end shows this kernel's widgets.

    Jupyter Server tells the kernels it starts for a front end their session's name; VS Code leaves a variable in the
    kernel. Runners such as papermill do neither.
    """
    try:
        import ipywidgets  # noqa: F401
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    if getattr(shell, "kernel", None) is None or os.environ.get("LABS_STATIC"):
        return False
    return "JPY_SESSION_NAME" in os.environ or "__vsc_ipynb_file__" in getattr(shell, "user_ns", {})


def _widget(dataset: DetectionDataset, predictions: pd.DataFrame | None, minimum_score: float) -> Any:
    import ipywidgets as widgets

    slider = widgets.IntSlider(description="image", min=0, max=len(dataset) - 1, continuous_update=False)
    classes = widgets.Dropdown(description="class", options=[_EVERY, *dataset.classes])
    score = widgets.FloatSlider(
        description="score", min=0, max=1, step=0.05, value=minimum_score, continuous_update=False
    )
    caption, picture = widgets.Label(), widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
    ids = dataset.images["image_id"].tolist()

    def draw(_: object = None) -> None:
        image_id = ids[slider.value]
        row = dataset.image(image_id)
        caption.value = f"{slider.value + 1} of {len(ids)}: {row['file_name']}, {row['width']} x {row['height']} px"
        picture.value = _png(dataset, image_id, predictions, score.value)

    def choose(_: object) -> None:
        ids[:] = _holders(dataset, classes.value)
        slider.max, slider.value = max(len(ids) - 1, 0), 0
        draw()

    slider.observe(draw, "value")
    score.observe(draw, "value")
    classes.observe(choose, "value")
    draw()
    controls = [slider, classes] if predictions is None else [slider, classes, score]
    return widgets.VBox([widgets.HBox(controls), caption, picture])


def _holders(dataset: DetectionDataset, name: str) -> list[int]:
    """Ids of the images with a box of that class; all where there is none, for an empty slider shows nothing."""
    everything: list[int] = dataset.images["image_id"].tolist()
    if name == _EVERY:
        return everything
    boxes = dataset.boxes
    holding = set(boxes.loc[boxes["class_id"] == dataset.classes.index(name), "image_id"])
    return [image_id for image_id in everything if image_id in holding] or everything


def _png(dataset: DetectionDataset, image_id: int, predictions: pd.DataFrame | None, minimum_score: float) -> bytes:
    if predictions is None:
        figure = figures.show_samples(dataset.subset([image_id]), n=1, width=8)
    else:
        found = predictions[(predictions["image_id"] == image_id) & (predictions["score"] >= minimum_score)]
        truth = dataset.boxes_of(image_id)
        figure = figures.compare(dataset.open_image(image_id), truth, found, dataset.classes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
