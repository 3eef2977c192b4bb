"""Average precision and loss over a whole set, shared among the processes of a job."""

from collections.abc import Iterator
from typing import Any

import torch
from detection import coco
from detectron2.modeling.meta_arch.dense_detector import DenseDetector
from detectron2.utils import comm
from detectron2.utils.events import EventStorage

from .pictures import Mapper


class Evaluator:
    """Evaluates a model on records; every process takes its share, all return the same numbers."""

    def __init__(self, records: list[dict[str, Any]], mapper: Mapper, classes: list[str], batch_size: int = 4) -> None:
        self._records, self._mapper, self._batch_size = records, mapper, batch_size
        self._truth = coco.truth(records, classes)

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """AP, AP50, AP75 in 0..1 (COCO's definition; nan without boxes), `AP50/<class>`, and the mean losses."""
        found, losses, count = [], {}, 0
        was_training = model.training
        for batch in self._batches():
            detections, values = _judge(model, batch)
            found += detections
            for name, value in values.items():
                losses[name] = losses.get(name, 0.0) + value * len(batch)
            count += len(batch)
        model.train(was_training)
        shares = comm.all_gather((found, losses, count))
        total = sum(share[2] for share in shares)
        mean = {name: sum(share[1].get(name, 0.0) for share in shares) / total for name in shares[0][1]}
        detections = [box for share in shares for box in share[0]]
        return {**coco.average_precision(self._truth, detections), "loss": sum(mean.values()), **mean}

    def _batches(self) -> Iterator[list[dict[str, Any]]]:
        mine = self._records[comm.get_rank() :: comm.get_world_size()]
        for start in range(0, len(mine), self._batch_size):
            yield [self._mapper(record) for record in mine[start : start + self._batch_size]]


def _judge(model: torch.nn.Module, batch: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """COCO detections and training losses of a batch; a one-stage model's come from the same pass."""
    if not isinstance(model, DenseDetector):
        return _predict(model, batch), _losses(model, batch)
    losses, inference = {}, model.forward_inference

    def both(images: Any, features: Any, predictions: Any) -> Any:
        truth = [entry["instances"].to(model.device) for entry in batch]
        losses.update(model.forward_training(images, features, predictions, truth))
        return inference(images, features, predictions)

    model.forward_inference, model._ema_update = both, _own_count
    try:
        with EventStorage():
            found = _predict(model, batch)
    finally:
        del model.forward_inference, model._ema_update
    return found, {name: float(value) for name, value in losses.items()}


def _own_count(name: str, value: float, initial: float) -> float:
    """In place of RetinaNet's running count of positive anchors, which its loss is divided by: the batch's own."""
    return value


@torch.no_grad()
def _predict(model: torch.nn.Module, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """COCO detections of a batch, boxes in the original pictures' pixels."""
    model.eval()
    detections = []
    for record, answer in zip(batch, model(batch), strict=True):
        found = answer["instances"].to("cpu")
        boxes = found.pred_boxes.tensor.clone()
        boxes[:, 2:] -= boxes[:, :2]
        rows = zip(boxes.tolist(), found.scores.tolist(), found.pred_classes.tolist(), strict=True)
        detections += [
            {"image_id": record["image_id"], "bbox": box, "score": score, "category_id": class_id}
            for box, score, class_id in rows
        ]
    return detections


@torch.no_grad()
def _losses(model: torch.nn.Module, batch: list[dict[str, Any]]) -> dict[str, float]:
    """The training losses of a batch, the batch norms' statistics left as they are, sampling seeded."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()
    with torch.random.fork_rng(), EventStorage():
        torch.manual_seed(0)
        return {name: float(value) for name, value in model(batch).items()}
