"""A trained model that answers pictures with boxes, from its SavedModel."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from detection.options import Options
from PIL import Image
from sagemaker_contract import UserError

from . import label_map
from .names import LABELS

FIELDS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


class Predictor:
    """Loads a model directory; may be called from several threads."""

    def __init__(self, model_dir: Path) -> None:
        for name in ("saved_model/saved_model.pb", LABELS):
            if not (model_dir / name).is_file():
                raise UserError(f"{model_dir}: no {name}")
        self.classes = label_map.read(model_dir / LABELS)
        self._model = tf.saved_model.load(str(model_dir / "saved_model")).signatures["serving_default"]

    def raw(self, picture: Image.Image) -> dict[str, np.ndarray]:
        """FIELDS as the API names them: boxes [N, 4] (ymin, xmin, ymax, xmax, shares), class ids from 1."""
        found = self._model(tf.constant(np.asarray(picture)[None]))
        return {name: found[name][0].numpy() for name in FIELDS}

    def predict(self, picture: Image.Image, options: Options) -> dict[str, Any]:
        """Boxes as x1, y1, x2, y2 in the RGB picture's pixels, best score first."""
        found = self.raw(picture)
        scores = found["detection_scores"]
        kept = np.flatnonzero((scores >= options.score_threshold) & (scores > 0))
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        boxes = np.clip(found["detection_boxes"][kept], 0, 1)[:, [1, 0, 3, 2]] * (picture.size * 2)
        if options.agnostic_nms:
            chosen = tf.image.non_max_suppression(boxes, scores[kept], len(kept), options.agnostic_nms).numpy()
            kept, boxes = kept[chosen], boxes[chosen]
        return {
            "image_height": picture.height,
            "image_width": picture.width,
            "pred_boxes": boxes.tolist(),
            "scores": scores[kept].tolist(),
            "pred_classes": (found["detection_classes"][kept].astype(int) - 1).tolist(),
        }
