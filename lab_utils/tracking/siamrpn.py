"""SiamRPN over the ONNX files of a training job: GluonCV's tracker without MXNet.

Li, Yan, Wu, Zhu, Hu: High Performance Visual Tracking with Siamese Region Proposal Network, CVPR 2018. Step by step
what GluonCV 0.10.5's `SiamRPNTracker` does, its rounding included, so that both give the same boxes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking.tracker import Box, Observation
from lab_utils.tracking.video import Image

CONFIG, TEMPLATE, SEARCH = "tracker.json", "template.onnx", "search.onnx"
_SMALLEST = 10  # pixels of a box's side
_THREADS = 4  # more do not help a network of this size

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """What the training job wrote into `tracker.json` for the tracker.

    Attributes:
        exemplar, instance: sides in pixels of the target's square and of the searched one, as the network takes them.
        stride: of the network; an anchor's sides are this times each of `scales`.
        ratios: height / width of the anchors.
        penalty_k, window_influence: against changes of size and shape, and against motion.
        lr: how fast the box's size follows, 0 to 1.
        context: how much of the surroundings the squares show, as a share of the box's width plus height.
        base_size: places that the score map has beyond those of exemplar, instance and stride.
    """

    exemplar: int
    instance: int
    stride: int
    ratios: tuple[float, ...]
    scales: tuple[float, ...]
    penalty_k: float
    window_influence: float
    lr: float
    context: float
    base_size: int


class SiamRPN:
    """Follows one object with the network of a model folder.

    `lost` and `found` are scores that the training job measured on its validation clips: below `lost` the object is
    probably gone, above `found` it is probably there again.

    Args:
        folder: the unpacked `model.tar.gz` of a tracking job, with tracker.json, template.onnx and search.onnx.
        threads: of the network; None: as many as this process may use, at most 4.

    Raises:
        DataError: a file is missing or not as a training job writes it.
        ConfigError: ONNX Runtime or OpenCV is missing.
    """

    def __init__(self, folder: str | Path, threads: int | None = None) -> None:
        folder = Path(folder)
        self.settings, scores = _read(folder / CONFIG)
        self.lost, self.found = scores["lost"], scores["found"]
        count = threads or min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, _THREADS)
        self._template, self._search = (_session(folder / name, count) for name in (TEMPLATE, SEARCH))
        self._anchors, self._window = _anchors(self.settings), _window(self.settings)
        self._features: Array | None = None

    def start(self, frame: Image, box: Box) -> None:
        """Take up the object in `box` (xmin, ymin, width, height) of `frame`, RGB uint8 [height, width, 3]."""
        left, top, width, height = box
        self._centre = np.array([left + (width - 1) / 2, top + (height - 1) / 2])
        self._size = np.array([width, height], float)
        self._colour = frame.mean(axis=(0, 1))[::-1]
        square = self._square(frame, round(self._side()), self.settings.exemplar)
        self._features = _run(self._template, square)[0]

    def update(self, frame: Image) -> Observation:
        """The object's box in the next frame, and the network's score for it, 0 to 1.

        Raises:
            ConfigError: `start` was not called.
        """
        if self._features is None:
            raise ConfigError("SiamRPN: start comes before update")
        settings, scale = self.settings, self.settings.exemplar / self._side()
        side = round(self._side() * (settings.instance / settings.exemplar))
        logits, codes = _run(self._search, self._square(frame, side, settings.instance), self._features)
        scores, boxes = _probabilities(logits), _boxes(codes, self._anchors)
        penalty = self._penalty(boxes[2:], scale)
        ranked = penalty * scores * (1 - settings.window_influence) + self._window * settings.window_influence
        best = int(ranked.argmax())
        self._follow(boxes[:, best] / scale, penalty[best] * scores[best] * settings.lr, frame)
        left, top = self._centre - self._size / 2
        return Observation((float(left), float(top), *map(float, self._size)), float(scores[best]))  # type: ignore[arg-type]

    def _side(self) -> float:
        """Side in frame pixels of the square around the object that becomes `exemplar` pixels."""
        return float(np.sqrt((self._size + self.settings.context * self._size.sum()).prod()))

    def _square(self, frame: Image, side: int, pixels: int) -> Array:
        """The square of `side` frame pixels around the object as the network's input [1, 3, pixels, pixels], BGR."""
        cv2 = _cv2()
        first = np.floor(self._centre - (side + 1) / 2 + 0.5).astype(int)
        start, end = np.maximum(first, 0), np.minimum(first + side, frame.shape[1::-1])
        part = frame[start[1] : max(end[1], start[1]), start[0] : max(end[0], start[0]), ::-1]
        if part.shape[:2] != (side, side):
            whole = np.empty((side, side, 3), np.uint8)
            whole[:] = self._colour.astype(np.uint8)
            at = start - first
            whole[at[1] : at[1] + part.shape[0], at[0] : at[0] + part.shape[1]] = part
            part = whole
        resized = cv2.resize(np.ascontiguousarray(part), (pixels, pixels))
        return resized.transpose(2, 0, 1)[None].astype(np.float32)

    def _penalty(self, sides: Array, scale: float) -> Array:
        """Of each anchor, 1 for a box of the same size and shape as before, less for others."""
        size = self._size * scale
        change = _ratio(_extent(*sides) / _extent(*size)) * _ratio(size[0] / size[1] / (sides[0] / sides[1]))
        return np.asarray(np.exp(-(change - 1) * self.settings.penalty_k))

    def _follow(self, box: Array, rate: float, frame: Image) -> None:
        """Move to `box` (centre from the last one's, width, height), its size smoothed, within the frame."""
        limits = np.array(frame.shape[1::-1], float)
        self._centre = np.clip(self._centre + box[:2], 0, limits)
        self._size = np.maximum(np.minimum(self._size * (1 - rate) + box[2:] * rate, limits), _SMALLEST)


def _read(path: Path) -> tuple[Settings, dict[str, float]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = Settings(**{field.name: content[field.name] for field in fields(Settings)})
        return settings, {name: float(content["scores"][name]) for name in ("lost", "found")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not the tracker.json of a training job ({type(error).__name__}: {error})") from error


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigError("ONNX Runtime is missing: install it with pip install 'signal-labs[tracking]'") from error
    if not path.is_file():
        raise DataError(f"{path}: missing; expected the unpacked model.tar.gz of a tracking job")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others need the processors as well
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own kinds have no public base
        raise DataError(f"{path}: not a model that ONNX Runtime can read ({error})") from error


def _run(session: Any, *inputs: Array) -> list[Array]:
    names = [entry.name for entry in session.get_inputs()]
    answers: list[Array] = session.run(None, dict(zip(names, inputs, strict=True)))
    return answers


def _anchors(settings: Settings) -> Array:
    """Centre from the square's, width and height [4, anchors * R * R] of every anchor, in the square's pixels."""
    places = _places(settings)
    steps = (np.arange(places) - places // 2) * settings.stride
    y, x = np.meshgrid(steps, steps, indexing="ij")
    rows = []
    for ratio in settings.ratios:
        width = int(np.sqrt(settings.stride**2 / ratio))
        for scale in settings.scales:
            sides = (width * scale, int(width * ratio) * scale)
            rows.append(np.stack([x, y, *(np.full_like(x, side) for side in sides)]))
    return np.stack(rows, axis=1).reshape(4, -1).astype(np.float32)


def _window(settings: Settings) -> NDArray[np.float64]:
    """Of each anchor, 1 in the middle of the square and 0 at its edge."""
    hanning = np.hanning(_places(settings))
    return np.tile(np.outer(hanning, hanning).ravel(), len(settings.ratios) * len(settings.scales))


def _places(settings: Settings) -> int:
    """R, the side of the score map."""
    return (settings.instance - settings.exemplar) // settings.stride + 1 + settings.base_size


def _probabilities(logits: Array) -> Array:
    """That an anchor shows the object, [anchors * R * R] from [1, 2 * anchors, R, R]."""
    other, own = logits.reshape(2, -1)
    return np.asarray(1 / (1 + np.exp(other - own)))


def _boxes(codes: Array, anchors: Array) -> Array:
    """Boxes [4, anchors * R * R] like the anchors' from their codes [1, 4 * anchors, R, R]."""
    codes = codes.reshape(4, -1)
    return np.concatenate([codes[:2] * anchors[2:] + anchors[:2], np.exp(codes[2:]) * anchors[2:]])


def _extent(width: Any, height: Any) -> Any:
    """Side of the square that a box of these sides is seen in."""
    pad = (width + height) / 2
    return np.sqrt((width + pad) * (height + pad))


def _ratio(value: Any) -> Any:
    return np.maximum(value, 1 / value)


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError("OpenCV is missing: install it with pip install 'signal-labs[tracking]'") from error
    return cv2
