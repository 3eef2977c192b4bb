"""A trained network as files for serving: symbol and parameters, and ONNX."""

import logging
import os
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from gluoncv.model_zoo.ssd.ssd import SSD
from mxnet.gluon import HybridBlock

from .decoded import Decoded
from .names import ONNX
from .networks import Heads

LARGEST_DIFFERENCE = 1e-3


class _Answers(HybridBlock):
    """Probabilities and boxes of every anchor."""

    def __init__(self, network: SSD) -> None:
        super().__init__()
        self.heads, self.decoded = Heads(network), Decoded(network)

    def hybrid_forward(self, F, x):
        return self.decoded(*self.heads(x))


def symbol(network: SSD, folder: Path, canvas: tuple[int, int], nms: dict[str, Any]) -> None:
    """Write model-symbol.json and model-0000.params; inputs of other sizes are taken too."""
    network.collect_params().reset_ctx(mx.cpu())
    network.set_nms(nms["threshold"], nms["topk"], nms["most"])
    network.hybridize()
    network(_sample(canvas))
    network.export(str(folder / "model"), epoch=0)


def onnx(network: SSD, folder: Path, canvas: tuple[int, int]) -> float:
    """Write model.onnx and return its largest difference from MXNet.

    It answers scores [1, N, classes] and boxes [1, N, 4] (xyxy in the input's pixels) of all N anchors, for inputs
    [1, 3, height, width]. Suppression is left to the reader: ONNX has none that keeps classes apart as MXNet's does.
    """
    import onnxruntime
    from mxnet import onnx as mx2onnx

    logging.getLogger().setLevel(logging.ERROR)  # it logs every node
    answers, sample = _Answers(network), _sample(canvas)
    answers.hybridize()
    expected = [part.asnumpy() for part in answers(sample)]
    temporary = folder / f".export.{os.getpid()}"
    answers.export(str(temporary), epoch=0)
    files = [f"{temporary}-symbol.json", f"{temporary}-0000.params"]
    try:
        mx2onnx.export_model(*files, [sample.shape], [np.float32], str(folder / ONNX))
    finally:
        for name in files:
            Path(name).unlink()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(folder / ONNX), options, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: sample.asnumpy()})
    difference = max(float(np.abs(a - b).max()) for a, b in zip(expected, found, strict=True))
    if not difference <= LARGEST_DIFFERENCE:
        raise RuntimeError(f"{ONNX} differs from MXNet by {difference:g}, at most {LARGEST_DIFFERENCE} is right")
    return difference


def _sample(canvas: tuple[int, int]) -> mx.nd.NDArray:
    return mx.nd.array(np.random.default_rng(0).normal(size=(1, 3, canvas[1], canvas[0])))
