"""TensorBoard's event files, under the Object Detection API's names."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

PRECISION = {
    "AP": "DetectionBoxes_Precision/mAP",
    "AP50": "DetectionBoxes_Precision/mAP@.50IOU",
    "AP75": "DetectionBoxes_Precision/mAP@.75IOU",
}


class Events:
    """Writers below a folder: `train` and `eval`, as the API has them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def write(self, split: str, iteration: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve, at once on disk for whoever watches."""
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(str(self._folder / split))
        with self._writers[split].as_default(step=iteration):
            for name, value in values.items():
                tf.summary.scalar(PRECISION.get(name, name), value)
        self._writers[split].flush()
