"""COCO's average precision and the losses over a whole set, by what a served model answers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from detection import coco
from detection.pictures import boxes_of
from object_detection.core import standard_fields
from object_detection.core.model import DetectionModel

from .channels import Channels

PICTURE = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}


class Pictures:
    """The pictures of the validation records as uint8 [1, H, W, 3], in the records' order."""

    def __init__(self, channels: Channels) -> None:
        self.records, self.classes = channels.data.validation or [], channels.data.classes
        self._files, self._every = [str(file) for file in channels.validation], channels.every

    def __iter__(self) -> Iterator[tuple[dict[str, Any], tf.Tensor]]:
        dataset = tf.data.TFRecordDataset(self._files).shard(self._every, 0).map(decoded).prefetch(2)
        yield from zip(self.records, dataset, strict=True)


class Evaluator:
    """Evaluates a model that is not training, picture by picture."""

    def __init__(self, model: DetectionModel, pictures: Pictures) -> None:
        self._model, self._pictures = model, pictures
        self.truth = coco.truth(pictures.records, pictures.classes)
        boxes = tf.TensorSpec([None, 4], tf.float32)
        classes = tf.TensorSpec([None, len(pictures.classes)], tf.float32)
        picture = tf.TensorSpec([1, None, None, 3], tf.uint8)
        self._answer = tf.function(self._traced, input_signature=[picture, boxes, classes], autograph=False)

    def evaluate(self) -> dict[str, float]:
        """AP, AP50, AP75 in 0..1 (nan without boxes), `AP50/<class>`, and the mean losses by the API's names."""
        found, sums = [], []
        count = len(self._pictures.classes)
        for record, picture in self._pictures:
            boxes, class_ids = boxes_of(record)
            sides = np.array([record["width"], record["height"]] * 2)
            shares = (boxes / sides)[:, [1, 0, 3, 2]].astype(np.float32)
            answer, losses = self._answer(picture, shares, np.eye(count, dtype=np.float32)[class_ids])
            found += detections(record, *(part.numpy() for part in answer))
            sums.append({name: float(value) for name, value in losses.items()})
        means = {name: float(np.mean([each[name] for each in sums])) for name in sums[0]}
        return {**coco.average_precision(self.truth, found), **means}

    def _traced(self, picture: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> tuple[tuple, dict]:
        model = self._model
        tf.keras.backend.set_learning_phase(False)
        image, shapes = model.preprocess(tf.cast(picture, tf.float32))
        boxes *= tf.cast(tf.tile(shapes[0, :2] / tf.shape(image)[1:3], [2]), tf.float32)  # shares with the padding
        model.provide_groundtruth([boxes], [classes], groundtruth_weights_list=[tf.ones_like(boxes[:, 0])])
        predicted = model.predict(image, shapes)
        losses = model.loss(predicted, shapes)
        fields = standard_fields.DetectionResultFields
        found = model.postprocess(predicted, shapes)
        names = (fields.detection_boxes, fields.detection_scores, fields.detection_classes)
        return tuple(found[name][0] for name in names), {
            **losses,
            "Loss/total_loss": tf.add_n(list(losses.values())),
        }


def detections(
    record: dict[str, Any], boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray
) -> list[dict[str, Any]]:
    """COCO's detections of a record from boxes [N, 4] (ymin, xmin, ymax, xmax, shares), scores and class ids from 0."""
    corners = np.clip(boxes, 0, 1)[:, [1, 0, 3, 2]] * ([record["width"], record["height"]] * 2)
    corners[:, 2:] -= corners[:, :2]
    rows = zip(corners.tolist(), scores.tolist(), class_ids.astype(int).tolist(), strict=True)
    return [{"image_id": record["image_id"], "bbox": b, "score": s, "category_id": c} for b, s, c in rows if s > 0]


def decoded(record: tf.Tensor) -> tf.Tensor:
    """The picture [1, H, W, 3] of a serialized example, uint8."""
    data = tf.io.parse_single_example(record, PICTURE)["image/encoded"]
    picture = tf.io.decode_image(data, channels=3, expand_animations=False)
    return tf.ensure_shape(picture, [None, None, 3])[None]
