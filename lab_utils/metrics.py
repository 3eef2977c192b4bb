"""COCO's detection metrics, computed by hotcoco; the tests hold them against pycocotools.

Crowd regions and difficult boxes are ignored, as COCO ignores `iscrowd`: they count neither as found nor as missed,
and a detection of which half or more lies in one is no false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import coco

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREDICTION_COLUMNS = ["image_id", "class_id", "score", *XYWH]
MEANING = {
    "AP": "mean of the AP at IoU 0.50, 0.55 ... 0.95",
    "AP50": "average precision at IoU 0.50",
    "AP75": "average precision at IoU 0.75",
    "APs": "AP of objects below 32² px",
    "APm": "AP of objects from 32² to 96² px",
    "APl": "AP of objects above 96² px",
    "AR1": "recall with 1 detection an image",
    "AR10": "recall with 10 detections an image",
    "AR100": "recall with 100 detections an image",
    "ARs": "recall of objects below 32² px",
    "ARm": "recall of objects from 32² to 96² px",
    "ARl": "recall of objects above 96² px",
}
_LARGEST = np.finfo(np.float64).max
_SIZES = ("", "s", "m", "l")  # the order of the area axis of COCO's arrays


@dataclass(frozen=True)
class Metrics:
    """Result of `evaluate`. A number that nothing defines, such as the AP of a size without objects, is NaN.

    Attributes:
        numbers: COCO's twelve, by name (see `MEANING`).
        classes: class names.
        boxes: ground-truth boxes of each class that count, int64 [classes].
        precision: float64 [IoU 0.50:0.95:0.05, recall 0:1:0.01, class, size (all, small, medium, large)].
    """

    numbers: dict[str, float]
    classes: tuple[str, ...]
    boxes: np.ndarray
    precision: np.ndarray

    @property
    def ap(self) -> float:
        """Mean AP over IoU 0.50:0.95."""
        return self.numbers["AP"]

    @property
    def ap50(self) -> float:
        """AP at IoU 0.50."""
        return self.numbers["AP50"]

    def table(self) -> pd.DataFrame:
        """The twelve numbers with what they mean."""
        rows = [(name, value, MEANING[name]) for name, value in self.numbers.items()]
        return pd.DataFrame(rows, columns=["metric", "value", "meaning"]).set_index("metric")

    def per_class(self) -> pd.DataFrame:
        """AP, AP50 and AP by size of each class, with its number of boxes."""
        columns: dict[str, Any] = {"boxes": self.boxes, "AP": self._ap(0), "AP50": self._ap(0, iou=0)}
        columns |= {f"AP{size}": self._ap(i) for i, size in enumerate(_SIZES) if size}
        return pd.DataFrame(columns, index=pd.Index(self.classes, name="class"))

    def pr_curves(self, iou: float = 0.5) -> Figure:
        """Precision over recall of each class at an IoU of 0.50, 0.55 ... 0.95."""
        return pr_curve_figure(self, iou)

    def _ap(self, size: int, iou: int | None = None) -> np.ndarray:
        chosen = self.precision[:, :, :, size] if iou is None else self.precision[[iou], :, :, size]
        return chosen.mean(axis=(0, 1))


def evaluate(dataset: DetectionDataset, predictions: pd.DataFrame) -> Metrics:
    """Hold detections against the boxes of a data set.

    Args:
        dataset: ground truth; every image counts, with or without detections.
        predictions: one row a detection: `image_id`, `class_id`, `score`, `xmin`, `ymin`, `width`, `height` in pixels
            of the original image. COCO keeps the best 100 of an image and class.

    Raises:
        DataError: a column is missing, a value is not finite, or an image or class is not in the data set.
    """
    import hotcoco

    check_predictions(dataset, predictions)
    truth = hotcoco.COCO(_truth(dataset))
    table = predictions[["image_id", *XYWH, "score"]].assign(category=predictions["class_id"] + 1)
    evaluation = hotcoco.COCOeval(truth, truth.load_res(table.to_numpy(dtype=np.float64)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    arrays: Any = evaluation.eval
    precision, recall = _defined(arrays["precision"]), _defined(arrays["recall"])
    ignored = dataset.boxes["crowd"] | dataset.boxes["difficult"]
    counts = dataset.boxes.loc[~ignored, "class_id"].value_counts().reindex(range(len(dataset.classes)), fill_value=0)
    return Metrics(_numbers(precision, recall), dataset.classes, counts.to_numpy(), precision[..., -1])


def pr_curve_figure(metrics: Metrics, iou: float = 0.5) -> Figure:
    """Precision over recall of each class; see `Metrics.pr_curves`.

    Raises:
        ConfigError: an IoU that COCO does not evaluate.
    """
    import matplotlib.pyplot as plt

    from lab_utils.palette import colour

    step = round((iou - 0.5) / 0.05, 6)
    if step not in range(len(metrics.precision)):
        raise ConfigError(f"iou={iou}: expected one of 0.50, 0.55 ... 0.95")
    figure, axis = plt.subplots(figsize=(8.6, 4.2), layout="constrained")
    recall = np.linspace(0, 1, metrics.precision.shape[1])
    styles = ("-", "--", ":", "-.")
    for i, name in enumerate(metrics.classes):
        curve = metrics.precision[int(step), :, i, 0]
        if not np.isnan(curve).all():
            label = f"{name} ({curve.mean():.2f})"
            axis.plot(recall, curve, color=colour(i), ls=styles[i % len(styles)], lw=1.8, label=label)
    axis.set(
        xlim=(0, 1.01), ylim=(0, 1.03), xlabel="recall", ylabel="precision", title=f"IoU {iou:.2f} (AP in brackets)"
    )
    axis.grid(alpha=0.3)
    if axis.lines:  # beside the axes: inside them it would cover the curves of a weak model
        figure.legend(fontsize=8, loc="outside right upper", frameon=False)
    plt.close(figure)
    return figure


def check_predictions(dataset: DetectionDataset, predictions: pd.DataFrame) -> None:
    """Refuse a table that `evaluate` does not take; a DataError names the row and the column."""
    missing = [column for column in PREDICTION_COLUMNS if column not in predictions]
    if missing:
        raise DataError(f"predictions: no column {missing[0]!r}; expected {', '.join(PREDICTION_COLUMNS)}")
    checks: dict[str, pd.Series] = {
        "image_id": ~predictions["image_id"].isin(dataset.images["image_id"]),
        "class_id": ~predictions["class_id"].isin(range(len(dataset.classes))),
        **{c: ~predictions[c].astype("float64").between(-_LARGEST, _LARGEST) for c in ("score", *XYWH)},
    }
    for column, bad in checks.items():
        if bad.any():
            row = int(bad.to_numpy().argmax())
            value = predictions[column].iloc[row]
            expected = f"one of {dataset.name}'s" if column.endswith("_id") else "a finite number"
            raise DataError(f"predictions, row {row}: {column} is {value}; expected {expected}")


def _truth(dataset: DetectionDataset) -> dict[str, Any]:
    """COCO's object with category ids from 1 and, as pycocotools ignores nothing else, every flag as `iscrowd`."""
    truth = coco.to_dict(replace(dataset, category_ids=()))
    for annotation in truth["annotations"]:
        annotation["iscrowd"] = max(annotation["iscrowd"], annotation.pop("difficult", 0))
    return truth


def _defined(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return np.where(array < 0, np.nan, array)  # COCO writes -1 for undefined


def _mean(values: np.ndarray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _numbers(precision: np.ndarray, recall: np.ndarray) -> dict[str, float]:
    """The twelve from COCO's arrays [IoU, (recall,) class, size, detections 1/10/100]."""
    values = [precision[..., 0, 2], precision[0, ..., 0, 2], precision[5, ..., 0, 2]]
    values += [precision[..., size, 2] for size in (1, 2, 3)]
    values += [recall[..., 0, most] for most in (0, 1, 2)]
    values += [recall[..., size, 2] for size in (1, 2, 3)]
    return {name: _mean(value) for name, value in zip(MEANING, values, strict=True)}
