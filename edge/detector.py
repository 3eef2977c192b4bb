"""A detector in a TFLite file: pictures in, boxes in the picture's pixels out. Needs NumPy, Pillow and LiteRT."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


@dataclass(frozen=True)
class Found:
    """What is in a picture, best score first: boxes [N, 4] xyxy in its pixels, scores [N], class ids [N] from 0."""

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray


class Detector:
    """Runs a file that the `tfod` image exported: an SSD with its own suppression of boxes."""

    def __init__(self, model: Path, threads: int = 2) -> None:
        interpreter = Interpreter(str(model), num_threads=threads)
        interpreter.allocate_tensors()
        self._entry = interpreter.get_input_details()[0]
        self._run = interpreter.get_signature_runner()
        _, self.height, self.width, _ = self._entry["shape"].tolist()

    def detect(self, picture: Image.Image, least: float = 0.0) -> Found:
        """What is in an RGB picture with a score of at least `least`."""
        small = picture.resize((self.width, self.height), Image.Resampling.BILINEAR, reducing_gap=None)
        answer = self._run(input=self._input(np.asarray(small)))
        number, scores, class_ids, boxes = (answer[f"output_{i}"][0] for i in range(4))
        kept = np.flatnonzero(scores[: int(number)] >= least)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        corners = np.clip(boxes[kept], 0, 1)[:, [1, 0, 3, 2]] * (picture.size * 2)
        return Found(corners, scores[kept], class_ids[kept].astype(int))

    def _input(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels [H, W, 3] as the network takes them: -1..1, or the same numbers as quantized pixels."""
        values = pixels[None].astype(np.float32) * (2 / 255) - 1
        if self._entry["dtype"] == np.float32:
            return values
        scale, zero = self._entry["quantization"]
        kind = np.iinfo(self._entry["dtype"])
        return np.clip(np.round(values / scale + zero), kind.min, kind.max).astype(self._entry["dtype"])


def class_names(path: Path) -> list[str]:
    """Names by class id from labels.json."""
    return json.loads(path.read_text(encoding="utf-8"))
