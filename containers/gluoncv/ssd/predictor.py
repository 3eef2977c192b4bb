"""A trained model that answers pictures with boxes."""

import json
import threading
from pathlib import Path
from typing import Any

import mxnet as mx
from detection.options import Options
from mxnet.gluon import SymbolBlock
from PIL import Image
from sagemaker_contract import UserError

from .detections import Detections
from .names import CONFIG, PARAMS, SYMBOL
from .pictures import LetterBox, to_picture


class Predictor:
    """Loads a model directory; `predict` is safe to call from several threads, one picture at a time."""

    def __init__(self, model_dir: Path) -> None:
        for name in (CONFIG, SYMBOL, PARAMS):
            if not (model_dir / name).is_file():
                raise UserError(f"{model_dir}: no {name}")
        config = json.loads((model_dir / CONFIG).read_text(encoding="utf-8"))
        self.classes = config["classes"]
        self._box = LetterBox(**config["letter_box"])
        self._context = mx.gpu() if mx.context.num_gpus() else mx.cpu()
        self._model = SymbolBlock.imports(str(model_dir / SYMBOL), ["data"], str(model_dir / PARAMS), ctx=self._context)
        self._lock = threading.Lock()  # MXNet's operators may be called from several threads, a graph may not

    def predict(self, picture: Image.Image, options: Options) -> dict[str, Any]:
        """Boxes as x1, y1, x2, y2 in the RGB picture's pixels, best score first."""
        image, scale = self._box.apply(picture)
        with self._lock:
            answer = self._model(mx.nd.array(image[None], self._context))
            rows = [part[0].asnumpy() for part in answer]
        found = Detections.of(*rows).at_least(options.score_threshold)
        found = found.moved(to_picture(found.boxes, scale, picture.size))
        if options.agnostic_nms:
            found = found.suppressed(options.agnostic_nms)
        return {
            "image_height": picture.height,
            "image_width": picture.width,
            "pred_boxes": found.boxes.tolist(),
            "scores": found.scores.tolist(),
            "pred_classes": found.class_ids.tolist(),
        }
