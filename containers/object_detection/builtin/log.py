"""Log lines in the form of the built-in algorithm's, from which SageMaker reads its metrics."""

import logging
import os
import sys
from collections.abc import Mapping

BANNER = (
    "Local equivalent of SageMaker's built-in object-detection, whose image is closed: GluonCV's SSD on MXNet behind "
    "the same hyperparameters, channels, metrics and answers"
)

METRIC = "voc12"  # what validation:mAP is: VOC's area under the curve, at the IoU overlap_threshold


class QualityMetrics:
    """`train cross_entropy`, `train smooth_l1` and `validation mAP` once an epoch, progress and throughput."""

    def __init__(self, host: str, epochs: int) -> None:
        self._host, self._epochs = host, epochs

    def training(self, iteration: int, values: Mapping[str, float]) -> None:
        epoch = int(values["epoch"]) - 1
        for name, value in (("cross_entropy", values["loss_cls"]), ("smooth_l1", values["loss_box"])):
            self._quality(epoch, f"train {name} <loss>=({value:.6g})")
        speed = values["images_per_second"]
        logging.info("#throughput_metric: host=%s, train throughput=%.4g records/second", self._host, speed)

    def validation(self, iteration: int, values: Mapping[str, float]) -> None:
        epoch = int(values["epoch"]) - 1
        self._quality(epoch, f"validation mAP <score>=({values[METRIC]:.6g})")
        logging.info("#progress_metric: host=%s, completed %g %%", self._host, 100 * (epoch + 1) / self._epochs)

    def _quality(self, epoch: int, text: str) -> None:
        logging.info("#quality_metric: host=%s, epoch=%d, %s", self._host, epoch, text)


def start() -> None:
    """Log to standard output, beginning with what this program is."""
    form = f"[%(asctime)s %(levelname)s {os.getpid()}] %(message)s"
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=form, datefmt="%m/%d/%Y %H:%M:%S", force=True)
    logging.info(BANNER)
