"""What a training job of the `tfod` image would see of its pictures: the job, and an explorer of what it made."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image

from lab_utils import browse, figures, paths, s3
from lab_utils.dataset import XYWH
from lab_utils.session import LabSession

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ORIGINAL = "original"


@dataclass(frozen=True)
class Preview:
    """What a preview job wrote.

    Attributes:
        folder: of the pictures.
        classes: class names.
        steps: the configuration's steps, each by itself, in their order; at the end all together.
        samples: `picture` (from 0), `step`, `file`, and `boxes`: `class_id` and xywh in that file's pixels.
    """

    folder: Path
    classes: tuple[str, ...]
    steps: tuple[str, ...]
    samples: pd.DataFrame

    def explore(self) -> Any:
        """Sliders over pictures and steps where a notebook shows them, else the figure of the first picture."""
        return self._widget() if browse.is_live() else self.figure()

    def figure(self, picture: int = 0, step: str = "") -> Figure:
        """A row a step, or the one `step`: the original picture, then what the step made of it."""
        import matplotlib.pyplot as plt

        steps = (step,) if step else self.steps
        of_picture = self.samples[self.samples["picture"] == picture]
        rows = [of_picture[of_picture["step"].isin((_ORIGINAL, name))].to_dict("records") for name in steps]
        columns = max(map(len, rows))
        figure, axes = plt.subplots(
            len(rows), columns, figsize=(2.7 * columns, 2.0 * len(rows)), squeeze=False, dpi=100, layout="constrained"
        )
        for line, name, row in zip(axes, steps, rows, strict=True):
            for axis, sample in zip(line, row, strict=True):
                axis.imshow(Image.open(self.folder / sample["file"]))
                axis.set_axis_off()
                figures.draw_boxes(axis, sample["boxes"], [""] * len(self.classes))
            line[0].set_title(name, fontsize=9, loc="left")
        plt.close(figure)
        return figure

    def _widget(self) -> Any:
        import ipywidgets as widgets

        last = int(self.samples["picture"].max())
        slider = widgets.IntSlider(description="picture", min=0, max=last, continuous_update=False)
        steps = widgets.Dropdown(
            description="step", options=[("each by itself, then all", ""), *((name, name) for name in self.steps)]
        )
        shown = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))

        def draw(_: object = None) -> None:
            buffer = io.BytesIO()
            self.figure(slider.value, steps.value).savefig(buffer, format="png")
            shown.value = buffer.getvalue()

        for control in (slider, steps):
            control.observe(draw, "value")
        draw()
        return widgets.VBox([widgets.HBox([slider, steps]), shown])


def fetch(lab: LabSession, output: str) -> Preview:
    """What the preview job wrote below `output`, an S3 prefix."""
    bucket, key = s3.parse(output)
    folder = paths.home() / "downloads" / lab.backend / bucket / key
    s3.download(lab, output, folder)
    return read(folder)


def read(folder: Path) -> Preview:
    """The preview in a folder with the job's `preview.json` and pictures."""
    told = json.loads((folder / "preview.json").read_text(encoding="utf-8"))
    samples = pd.DataFrame([{**sample, "boxes": _boxes(sample["boxes"])} for sample in told["samples"]])
    return Preview(folder, tuple(told["classes"]), tuple(told["steps"][1:]), samples)


def _boxes(corners: list[list[float]]) -> pd.DataFrame:
    table = pd.DataFrame(corners, columns=[*XYWH, "class_id"])
    table["width"] -= table["xmin"]
    table["height"] -= table["ymin"]
    return table.astype({"class_id": int})
