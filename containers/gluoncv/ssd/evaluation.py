"""Average precision by VOC's two definitions and COCO's, and the loss, over a whole set."""

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from detection import coco
from detection.pictures import PictureCache, boxes_of
from gluoncv.loss import SSDMultiBoxLoss
from gluoncv.model_zoo.ssd.ssd import SSD
from gluoncv.utils.metrics.voc_detection import VOC07MApMetric, VOCMApMetric

from .batches import stack
from .decoded import Detector
from .detections import Detections
from .networks import Heads
from .pictures import LetterBox, to_picture
from .targets import Targets


class Evaluator:
    """Evaluates a network on records, in batches of pictures whose inputs have the same size."""

    def __init__(
        self,
        network: SSD,
        records: list[dict[str, Any]],
        box: LetterBox,
        loss: tuple[Targets, SSDMultiBoxLoss],
        nms: dict[str, Any],
        iou: float = 0.5,
        batch_size: int = 4,
    ) -> None:
        """`iou` is what a detection needs to be right in VOC's average precision; COCO's has its own."""
        self._records, self._box, self._iou, self._batch_size = records, box, iou, batch_size
        self._classes = list(network.classes)
        self._targets, self._loss = loss
        self._heads, self._detector = Heads(network), Detector(network, **nms)
        self._heads.hybridize()
        self._truth = coco.truth(records, self._classes)

    def evaluate(self, context: mx.Context) -> dict[str, float]:
        """voc07, voc12, AP50, AP, AP75 in 0..1 (nan without boxes), `AP50/<class>`, and the mean losses."""
        voc = [metric(iou_thresh=self._iou, class_names=self._classes) for metric in (VOC07MApMetric, VOCMApMetric)]
        found, losses = [], []
        for records, images, labels, scales in self._batches():
            scores, codes, anchors = self._heads(mx.nd.array(images, context))
            losses += self._losses(scores, codes, anchors, mx.nd.array(labels, context)) * len(records)
            answers = self._detector.decode(scores, codes, anchors)
            for record, answer, scale in zip(records, answers, scales, strict=True):
                size = (record["width"], record["height"])
                answer = answer.moved(to_picture(answer.boxes, scale, size))
                found += answer.coco(record["image_id"])
                for metric in voc:
                    _update(metric, answer, record)
        named = dict(zip(("voc07", "voc12"), (metric.get()[1][-1] for metric in voc), strict=True))
        precision = coco.average_precision(self._truth, found)
        cls, box = np.mean(losses, axis=0).tolist()
        return {**named, **precision, "loss": cls + box, "loss_cls": cls, "loss_box": box}

    def _losses(self, scores: Any, codes: Any, anchors: Any, labels: Any) -> list[tuple[float, float]]:
        _, cls, box = self._loss(scores, codes, *self._targets(anchors, labels))
        return [(float(cls[0].sum().asscalar()), float(box[0].sum().asscalar()))]

    def _batches(self) -> Iterator[tuple]:
        cache = PictureCache(0)  # seen a few times only
        by_canvas: dict[tuple, list] = {}
        for record in self._records:
            canvas = self._box.canvas(self._box.scaled(record["width"], record["height"]))
            by_canvas.setdefault(canvas, []).append(record)
        for records in by_canvas.values():
            for start in range(0, len(records), self._batch_size):
                chunk = records[start : start + self._batch_size]
                inputs = [self._box.apply(cache.open(record)) for record in chunk]
                examples = [(image, _labels(r, scale)) for (image, scale), r in zip(inputs, chunk, strict=True)]
                yield chunk, *stack(examples), [scale for _, scale in inputs]


def _labels(record: dict[str, Any], scale: np.ndarray) -> np.ndarray:
    boxes, class_ids = boxes_of(record)
    return np.concatenate([boxes * np.tile(scale, 2), class_ids[:, None]], axis=1)


def _update(metric: VOCMApMetric, answer: Detections, record: dict[str, Any]) -> None:
    boxes, class_ids = boxes_of(record)
    # GluonCV counts pixels from first to last, so a box's last is one less than its end
    ends = np.array([0, 0, 1, 1])
    metric.update(
        [(answer.boxes - ends)[None]],
        [answer.class_ids[None]],
        [answer.scores[None]],
        [(boxes - ends)[None]],
        [class_ids[None]],
        [np.zeros((1, len(boxes)))],
    )
