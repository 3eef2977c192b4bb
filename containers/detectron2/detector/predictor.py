"""A trained model that answers pictures with boxes."""

import threading
from pathlib import Path
from typing import Any

import torch
from detection.augment import resized
from detection.options import Options
from detectron2.modeling import build_model
from PIL import Image
from torchvision.ops import boxes as box_ops

from . import checkpoints, fitted_anchors, model_files, small_fpn  # noqa: F401  (two register themselves)
from .pictures import to_tensor


class Predictor:
    """Loads a model directory; `predict` is safe to call from several threads, one picture at a time."""

    def __init__(self, model_dir: Path) -> None:
        cfg, self.classes, weights = model_files.read(model_dir)
        cfg.MODEL.DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
        self._limits = (cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST)
        self._model = build_model(cfg).eval()
        checkpoints.load_weights(self._model, weights)
        self._lock = threading.Lock()

    def predict(self, picture: Image.Image, options: Options) -> dict[str, Any]:
        """Boxes as x1, y1, x2, y2 in the RGB picture's pixels, best score first."""
        small = picture.resize(resized(*picture.size, *self._limits), Image.Resampling.BILINEAR)
        entry = {"image": to_tensor(small), "height": picture.height, "width": picture.width}
        with self._lock, torch.inference_mode():
            found = self._model([entry])[0]["instances"].to("cpu")
        found = found[found.scores >= options.score_threshold]
        found = found[found.scores.sort(descending=True, stable=True).indices]
        if options.agnostic_nms:
            found = found[box_ops.nms(found.pred_boxes.tensor, found.scores, options.agnostic_nms)]
        return {
            "image_height": picture.height,
            "image_width": picture.width,
            "pred_boxes": found.pred_boxes.tensor.tolist(),
            "scores": found.scores.tolist(),
            "pred_classes": found.pred_classes.tolist(),
        }
