"""Pictures of data sets and detections, as matplotlib Figures, which a notebook shows as the value of a cell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.palette import colour, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image

_MOST_LABELS = 6  # more boxes than these, and their labels would cover the picture: a legend names the colours
_SMALL = 0.06  # of the picture's width: a box below this is shown enlarged, too
_COLUMNS = 4


def show_samples(dataset: DetectionDataset, n: int = 12, seed: int = 0, *, width: float = 3.3) -> Figure:
    """Draw `n` images with their boxes, each `width` inches wide, chosen by `seed` so that every class has its turn."""
    ids = sample(dataset, n, seed)
    figure, axes = _grid(len(ids), min(_COLUMNS, len(ids)), _aspect(dataset), width)
    for axis, image_id in zip(axes, ids, strict=True):
        show(axis, dataset.open_image(image_id), dataset.boxes_of(image_id), dataset.classes)
        axis.set_title(_short(dataset.image(image_id)["file_name"]), fontsize=7)
    legend(figure, dataset, dataset.subset(ids).boxes)
    return _closed(figure)


def compare(image: Image.Image, truth: pd.DataFrame, predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw one image twice: with its true boxes, and with the detections and their scores beside it.

    Args:
        truth: boxes with `class_id`, `xmin`, `ymin`, `width`, `height` in pixels.
        predictions: likewise, with `score`.
    """
    figure, axes = _grid(2, 2, image.height / image.width, width=5.5)
    _compare(axes, image, truth, predictions, classes)
    return _closed(figure)


def compare_samples(
    dataset: DetectionDataset, predictions: pd.DataFrame, n: int = 4, *, minimum_score: float = 0.5, seed: int = 0
) -> Figure:
    """Draw `n` images, truth on the left and detections from `minimum_score` up on the right.

    Args:
        predictions: `image_id`, `class_id`, `score`, `xmin`, `ymin`, `width`, `height`. Images for which there are
            none at all are drawn only when there are no others.
    """
    ids = sample(dataset.subset(set(predictions["image_id"])) if len(predictions) else dataset, n, seed)
    shown = predictions[(predictions["score"] >= minimum_score) & predictions["image_id"].isin(ids)]
    figure, axes = _grid(2 * len(ids), 2, _aspect(dataset), width=5.5)
    for i, image_id in enumerate(ids):
        found = shown[shown["image_id"] == image_id]
        pair = axes[2 * i : 2 * i + 2]
        _compare(pair, dataset.open_image(image_id), dataset.boxes_of(image_id), found, dataset.classes)
    legend(figure, dataset, pd.concat([dataset.subset(ids).boxes[["class_id"]], shown[["class_id"]]]))
    return _closed(figure)


def show(axis: Axes, image: Image.Image, boxes: pd.DataFrame, classes: Sequence[str]) -> None:
    """Draw an image with its boxes, and the smallest enlarged in a corner where it would be lost otherwise."""
    axis.imshow(image)
    axis.set_axis_off()
    draw_boxes(axis, boxes, classes)
    sides = boxes[["width", "height"]].max(axis=1)
    if len(boxes) and sides.min() > 0 and sides.max() < _SMALL * image.width:
        _inset(axis, image, boxes.iloc[int(sides.to_numpy().argmax())])


def draw_boxes(axis: Axes, boxes: pd.DataFrame, classes: Sequence[str]) -> None:
    """Draw boxes on an axis that shows their image, in the colour of their class.

    Args:
        boxes: `class_id`, `xmin`, `ymin`, `width`, `height` in pixels; a column `score` goes into the labels. Crowd
            and difficult boxes are dashed. Above six boxes only scores are written.
        classes: class names.
    """
    from matplotlib.patches import Rectangle

    few = len(boxes) <= _MOST_LABELS
    for box in boxes.to_dict("records"):
        shade = colour(box["class_id"])
        style = "--" if box.get("crowd") or box.get("difficult") else "-"
        size = box["width"], box["height"]
        axis.add_patch(Rectangle((box["xmin"], box["ymin"]), *size, fill=False, ec=shade, ls=style, lw=1.4))
        text = [_short(classes[box["class_id"]].split(" (")[0], 18)] if few else []
        text += [f"{box['score']:.2f}"] if "score" in box else []
        if text:
            _label(axis, box, " ".join(text), shade)


def legend(figure: Figure, dataset: DetectionDataset, boxes: pd.DataFrame) -> None:
    """Name the colours of the classes of `boxes` below all that a figure shows."""
    from matplotlib.patches import Patch

    used = sorted(boxes["class_id"].unique())
    if used:
        handles = [Patch(color=colour(i), label=dataset.classes[i]) for i in used]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(used), 4), fontsize=8, frameon=False)


def summary(data: DetectionDataset | Mapping[str, DetectionDataset]) -> Figure:
    """Class balance, box sizes and where boxes are: of one data set, or of the splits of one, compared."""
    parts = {data.name: data} if isinstance(data, DetectionDataset) else dict(data)
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    _class_balance(left, parts)
    _box_sizes(middle, parts)
    _heat_map(right, parts)
    if len(parts) > 1:
        left.legend(fontsize=8)
    return _closed(figure)


def contact_sheet(
    dataset: DetectionDataset, columns: int = 6, rows: int = 4, *, width: int = 320, seed: int = 0
) -> Image.Image:
    """One picture of `columns` x `rows` frames with boxes, each frame `width` pixels wide."""
    from PIL import Image

    height = round(width * _aspect(dataset))
    sheet = Image.new("RGB", (columns * (width + 4) + 4, rows * (height + 4) + 4), "#202020")
    for i, image_id in enumerate(sample(dataset, columns * rows, seed)):
        row, column = divmod(i, columns)
        cell = _thumbnail(dataset, image_id, (width, height))
        sheet.paste(cell, (4 + column * (width + 4), 4 + row * (height + 4)))
    return sheet


def sample(dataset: DetectionDataset, n: int, seed: int = 0) -> list[int]:
    """Ids of `n` images (all, if there are fewer): each class in turn, each time from a group not yet shown."""
    if not len(dataset):
        raise DataError(f"{dataset.name}: no images to draw")
    order = dataset.images.sample(frac=1, random_state=seed)
    shuffled = order["image_id"].tolist()
    group_of = dict(zip(shuffled, order["group"], strict=True))
    holders = dataset.boxes.groupby("class_id")["image_id"].agg(set).to_dict()
    chosen: list[int] = []
    shown: set[str] = set()
    for turn in range(min(n, len(dataset))):
        wanted = list(holders.values())[turn % len(holders)] if holders else set()
        best = max(shuffled, key=lambda i: (i in wanted, group_of[i] not in shown))  # the first of the best
        shuffled.remove(best)
        chosen.append(best)
        shown.add(group_of[best])
    return chosen


def _grid(cells: int, columns: int, aspect: float, width: float) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt

    rows = -(-cells // columns)
    size = columns * width, rows * (width * aspect + 0.25) + 0.4
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, dpi=110)
    figure.set_layout_engine("constrained", h_pad=0.06)
    for axis in axes.flat[cells:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:cells])


def _compare(
    axes: Sequence[Axes], image: Image.Image, truth: pd.DataFrame, predictions: pd.DataFrame, classes: Sequence[str]
) -> None:
    for axis, boxes, what in zip(axes, (truth, predictions), ("ground truth", "detected"), strict=True):
        show(axis, image, boxes, classes)
        axis.set_title(f"{what}: {len(boxes)}", fontsize=9)


def _label(axis: Axes, box: dict[Hashable, Any], text: str, shade: str) -> None:
    """Text above the box, or inside where there is no room, and never out of the picture on the right."""
    right, top = axis.get_xlim()[1], axis.get_ylim()[1]  # the y axis points down
    at_right = box["xmin"] > 0.75 * right
    x = min(box["xmin"] + box["width"], right) if at_right else max(box["xmin"], 0)
    va = "bottom" if box["ymin"] > top + 0.05 * right else "top"
    background = {"facecolor": shade, "edgecolor": "none", "pad": 1.2, "alpha": 0.9}
    style: dict[str, Any] = {"va": va, "ha": "right" if at_right else "left", "bbox": background, "clip_on": True}
    axis.text(x, max(box["ymin"], 0), text, fontsize=6, color=ink(shade), **style)


def _inset(axis: Axes, image: Image.Image, box: Any) -> None:
    """The box and as much again around it, enlarged in the corner farthest from it."""
    centre = np.array([box["xmin"] + box["width"] / 2, box["ymin"] + box["height"] / 2])
    half = 1.2 * max(box["width"], box["height"])
    x = 0.02 if centre[0] > image.width / 2 else 0.66
    y = 0.02 if centre[1] < image.height / 2 else 0.5
    zoom = axis.inset_axes((x, y, 0.32, 0.48))
    zoom.imshow(image, interpolation="nearest")
    zoom.set(xlim=(centre[0] - half, centre[0] + half), ylim=(centre[1] + half, centre[1] - half), xticks=[], yticks=[])
    zoom.spines[:].set(color="white", lw=1.2)
    axis.indicate_inset_zoom(zoom, edgecolor="white", alpha=0.8, lw=0.8)


def _class_balance(axis: Axes, parts: Mapping[str, DetectionDataset]) -> None:
    table = pd.DataFrame({name: part.class_counts() for name, part in parts.items()})
    if len(parts) > 1:
        table = 100 * table / table.sum()
    places, thick = np.arange(len(table)), 0.8 / len(parts)
    for i, name in enumerate(table):
        axis.barh(places + (i - (len(parts) - 1) / 2) * thick, table[name], thick, label=name, color=colour(i + 1))
    if len(parts) == 1:
        axis.bar_label(axis.containers[0], fmt="{:,.0f}", fontsize=8, padding=2)  # type: ignore[arg-type]
        axis.margins(x=0.15)
    axis.set_yticks(places, [_short(str(name).split(" (")[0], 26) for name in table.index], fontsize=8)
    axis.invert_yaxis()
    axis.set(title="Class balance", xlabel="% of the split's boxes" if len(parts) > 1 else "boxes")


def _box_sizes(axis: Axes, parts: Mapping[str, DetectionDataset]) -> None:
    sizes = {name: np.sqrt((p.boxes["width"] * p.boxes["height"]).clip(lower=1)) for name, p in parts.items()}
    largest = max((s.max() for s in sizes.values() if len(s)), default=100)
    edges = np.geomspace(min((s.min() for s in sizes.values() if len(s)), default=1), largest * 1.01, 30)
    for i, (name, size) in enumerate(sizes.items()):
        kind: Any = "stepfilled" if len(parts) == 1 else "step"
        weights = np.full(len(size), 100 / max(len(size), 1))
        axis.hist(size, edges.tolist(), weights=weights, histtype=kind, color=colour(i + 1), lw=1.8, label=name)
    for limit in (32, 96):
        axis.axvline(limit, color="0.4", ls=":", lw=1)
    axis.set(
        xscale="log", title="Box size; dotted: COCO's small | medium | large", xlabel="√area, px", ylabel="% of boxes"
    )
    axis.title.set_fontsize(10)
    ticks = [t for t in (2, 4, 8, 16, 32, 96, 256, 1024) if edges[0] <= t <= edges[-1]]
    axis.set_xticks(ticks, [str(t) for t in ticks], fontsize=8)
    axis.minorticks_off()


def _heat_map(axis: Axes, parts: Mapping[str, DetectionDataset]) -> None:
    centres = np.concatenate([_centres(part) for part in parts.values()])
    counts, _, _ = np.histogram2d(centres[:, 1], centres[:, 0], bins=(24, 32), range=((0, 1), (0, 1)))
    picture = axis.imshow(counts, extent=(0, 1, 1, 0), aspect=_aspect(next(iter(parts.values()))), cmap="magma")
    axis.figure.colorbar(picture, ax=axis, label="boxes", shrink=0.8)
    axis.set(title="Where box centres are", xticks=[], yticks=[])


def _centres(dataset: DetectionDataset) -> np.ndarray:
    """Centres of the boxes as shares of their image's width and height, [N, 2]."""
    sizes = dataset.images.set_index("image_id")[["width", "height"]].reindex(dataset.boxes["image_id"]).to_numpy()
    corner_size = dataset.boxes[XYWH].to_numpy()
    return (corner_size[:, :2] + corner_size[:, 2:] / 2) / sizes


def _thumbnail(dataset: DetectionDataset, image_id: int, size: tuple[int, int]) -> Image.Image:
    from PIL import ImageDraw, ImageOps

    image = dataset.open_image(image_id)
    scale = min(size[0] / image.width, size[1] / image.height)
    cell = ImageOps.pad(image, size)
    offset = np.array([size[0] - image.width * scale, size[1] - image.height * scale]) / 2
    draw = ImageDraw.Draw(cell)
    for box in dataset.boxes_of(image_id).to_dict("records"):
        corner = np.array([box["xmin"], box["ymin"]]) * scale + offset
        far = corner + np.array([box["width"], box["height"]]) * scale
        draw.rectangle((*(corner - 2), *(far + 2)), outline=colour(box["class_id"]), width=2)
    return cell


def _aspect(dataset: DetectionDataset) -> float:
    return float((dataset.images["height"] / dataset.images["width"]).median())


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"…{text[-most + 1 :]}" if "/" in text else f"{text[: most - 1]}…"


def _closed(figure: Figure) -> Figure:
    """Out of pyplot's hands, so that a notebook shows the figure once and the memory is freed with it."""
    import matplotlib.pyplot as plt

    plt.close(figure)
    return figure
