"""A trained network as two ONNX files: of the target once, of the searched square for each frame."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import mxnet as mx
import numpy as np
from gluoncv.model_zoo.siamrpn.siam_net import SiamRPN
from mxnet.gluon import HybridBlock

from .names import SEARCH, TEMPLATE, Settings

LARGEST_DIFFERENCE = 1e-3


class _Search(HybridBlock):
    """What GluonCV's tracker asks for each frame, with the target's features as an input."""

    def __init__(self, network: SiamRPN) -> None:
        super().__init__()
        self.backbone, self.rpn_head = network.backbone, network.rpn_head

    def hybrid_forward(self, F, searched, features):
        """[1, 2 * anchors, R, R] scores before the softmax and [1, 4 * anchors, R, R] codes of boxes."""
        return self.rpn_head(features, self.backbone(searched))


def write(network: SiamRPN, settings: Settings, folder: Path) -> float:
    """Write template.onnx and search.onnx of a network for batch 1 and return the largest difference from MXNet.

    The first makes features [1, C, 6, 6] of the target's square [1, 3, exemplar, exemplar]; the second takes the
    searched square [1, 3, instance, instance] and them. Squares are BGR, 0 to 255. Raises RuntimeError when they
    differ by more than LARGEST_DIFFERENCE.
    """
    logging.getLogger().setLevel(logging.ERROR)  # it logs every node
    target, searched = (_sample(side) for side in (settings.exemplar, settings.instance))
    features = network.backbone(target)
    difference = max(
        _export(network.backbone, [target], folder / TEMPLATE),
        _export(_Search(network), [searched, features], folder / SEARCH),
    )
    if not difference <= LARGEST_DIFFERENCE:
        raise RuntimeError(f"ONNX differs from MXNet by {difference:g}, at most {LARGEST_DIFFERENCE} is right")
    return difference


def _export(block: HybridBlock, inputs: Sequence[mx.nd.NDArray], path: Path) -> float:
    import onnxruntime
    from mxnet import onnx as mx2onnx

    block.hybridize()
    answers = block(*inputs)
    expected = [part.asnumpy() for part in (answers if isinstance(answers, (list, tuple)) else [answers])]
    temporary = path.parent / f".export.{os.getpid()}"
    block.export(str(temporary), epoch=0)
    files = [f"{temporary}-symbol.json", f"{temporary}-0000.params"]
    try:
        mx2onnx.export_model(*files, [part.shape for part in inputs], [np.float32] * len(inputs), str(path))
    finally:
        for name in files:
            Path(name).unlink()
    _fix_weights(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    named = zip((entry.name for entry in session.get_inputs()), (part.asnumpy() for part in inputs), strict=True)
    found = session.run(None, dict(named))
    return max(_difference(*pair) for pair in zip(expected, found, strict=True))


def _fix_weights(path: Path) -> None:
    """MXNet lists the weights among the inputs, where a reader must take them for replaceable and cannot fold them."""
    import onnx

    model = onnx.load(str(path))
    weights = {weight.name for weight in model.graph.initializer}
    kept = [entry for entry in model.graph.input if entry.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    onnx.save(model, str(path))


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    """The largest, as a share of the largest number where that is above 1: features have no scale of their own."""
    return float(np.abs(first - second).max() / max(1.0, np.abs(first).max()))


def _sample(side: int) -> mx.nd.NDArray:
    return mx.nd.array(np.random.default_rng(0).uniform(0, 255, (1, 3, side, side)))
