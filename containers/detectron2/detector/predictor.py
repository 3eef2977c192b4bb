"""A trained model that answers pictures with boxes."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from detection.augment import resized
from detectron2.modeling import build_model
from PIL import Image
from sagemaker_contract import UserError
from torchvision.ops import boxes as box_ops

from . import checkpoints, fitted_anchors, model_files, small_fpn  # noqa: F401  (two register themselves)
from .pictures import to_tensor


@dataclass(frozen=True)
class Options:
    """`score_threshold`: boxes scored lower are left out; `agnostic_nms`: IoU above which the worse of two
    boxes goes whatever their classes, 0 = within a class only."""

    score_threshold: float = 0.0
    agnostic_nms: float = 0.0

    def updated(self, texts: Mapping[str, str]) -> "Options":
        """With the values that `texts` has for these names. Raises UserError for what is not within 0 to 1."""
        return replace(self, **{name: _share(name, texts[name]) for name in vars(self) if texts.get(name)})


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


def _share(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f"{name}: {text!r}, expected a number within 0 to 1")
    return value
