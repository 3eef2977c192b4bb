"""Pascal VOC's mean average precision: by 11 points (VOC2007) and by area (from 2010 on).

Boxes are edges, without the pixel that VOC's own tools add to a box's width. Difficult objects and crowd regions are
ignored. Sources: VOCevaldet.m and VOCap.m of VOC's development kits; the numbers are GluonCV's `VOC07MApMetric` and
`VOCMApMetric`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lab_utils.dataset import DetectionDataset
from lab_utils.matching import match
from lab_utils.metrics import check_predictions
from lab_utils.precision import average_precision


@dataclass(frozen=True)
class VocMetrics:
    """Result of `evaluate_voc`; NaN where nothing defines a number.

    Attributes:
        classes: class names.
        voc07: AP of each class by 11 points, float64 [classes].
        voc12: by area.
    """

    classes: tuple[str, ...]
    voc07: np.ndarray
    voc12: np.ndarray

    @property
    def map07(self) -> float:
        """Mean over the classes that have objects, by 11 points."""
        return _mean(self.voc07)

    @property
    def map12(self) -> float:
        """Likewise, by area."""
        return _mean(self.voc12)

    def per_class(self) -> pd.DataFrame:
        """Both numbers of each class."""
        return pd.DataFrame({"VOC07": self.voc07, "VOC12": self.voc12}, index=pd.Index(self.classes, name="class"))


def evaluate_voc(dataset: DetectionDataset, predictions: pd.DataFrame, *, iou: float = 0.5) -> VocMetrics:
    """Hold detections against the boxes of a data set, VOC's way.

    Args:
        predictions: as for `metrics.evaluate`.
        iou: the overlap from which a detection finds an object.

    Raises:
        DataError: as `metrics.evaluate`.
    """
    check_predictions(dataset, predictions)
    matches = match(dataset, predictions, [iou], rule="voc")
    by_points, by_area = (average_precision(matches, style=style)[0, 0] for style in ("voc07", "voc12"))
    return VocMetrics(dataset.classes, by_points, by_area)


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")
