# ruff: noqa: E402  (MXNet imports only after compat.prepare)
"""The algorithm's networks: shapes, anchors, published weights, frozen layers, squashed pictures."""

import functools
import hashlib
import http.server
import io
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

from ssd import compat

compat.prepare()

import mxnet as mx
import numpy as np
from builtin import networks
from gluoncv.model_zoo import get_model, model_store
from sagemaker_contract import UserError
from ssd.networks import Heads


def refused(call: Callable[[], object]) -> str:
    """The message of the error that the call must end with."""
    try:
        call()
    except UserError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def check_shapes(base: str, shape: int, sides: list[int], anchors: int) -> None:
    network = networks.build(base, ["a", "b"], shape, None, None, 0)
    assert networks._level_sides(network, shape) == sides
    scores, codes, boxes = Heads(network)(mx.nd.zeros((1, 3, shape, shape)))
    assert (scores.shape, codes.shape) == ((1, anchors, 3), (1, anchors, 4))
    boxes = boxes[0].asnumpy()
    np.testing.assert_allclose(boxes[0, :2], shape / sides[0] / 2, rtol=1e-4)
    np.testing.assert_allclose(boxes[-1, :2], shape - shape / sides[-1] / 2, rtol=1e-4)


def check_freezing() -> None:
    network = networks.build("resnet-50", ["a"], 300, None, None, 0)
    assert networks.freeze(network, "") == 0
    assert networks.freeze(network, "resnetv10_stage1") > 10
    assert {p.grad_req for n, p in network.collect_params().items() if "stage1_conv" in n} == {"null"}
    assert {p.grad_req for n, p in network.collect_params().items() if "stage2_conv" in n} == {"write"}
    reason = refused(lambda: networks.freeze(network, "nothing_like_it"))
    assert "freeze_layer_pattern 'nothing_like_it' matches no layer; the first are resnetv10_conv0_weight" in reason


def zipped_weights() -> bytes:
    """Made-up weights of ResNet-50 as the zoo packs them; the model store is told their hash."""
    base = get_model("resnet50_v1", pretrained=False)
    base.initialize()
    base(mx.nd.zeros((1, 3, 64, 64)))
    base.features[0].weight.set_data(mx.nd.full(base.features[0].weight.shape, 0.125))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.params")
        base.save_parameters(str(path))
        content = path.read_bytes()
    model_store._model_sha1["resnet50_v1"] = hashlib.sha1(content).hexdigest()
    name = f"resnet50_v1-{model_store.short_hash('resnet50_v1')}.params"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def check_published_weights() -> None:
    """From a loopback server in place of the zoo's; where there is none, the message says what to do."""
    with tempfile.TemporaryDirectory() as folder:
        archive = zipped_weights()
        name = f"resnet50_v1-{model_store.short_hash('resnet50_v1')}.zip"
        target = Path(folder, "served/gluon/models", name)
        target.parent.mkdir(parents=True)
        target.write_bytes(archive)
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(Path(folder, "served")))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ["MXNET_GLUON_REPO"] = f"http://127.0.0.1:{server.server_address[1]}/"
        network = networks.build("resnet-50", ["a"], 300, None, Path(folder, "kept"), 0)
        first = next(p for n, p in network.collect_params().items() if n.endswith("conv0_weight"))
        assert (first.data().asnumpy() == 0.125).all()
        server.shutdown()
        server.server_close()
        reason = refused(lambda: networks.build("resnet-50", ["a"], 300, None, Path(folder, "elsewhere"), 0))
        assert "use_pretrained_model: 1, but the weights of resnet-50 cannot be downloaded" in reason


if __name__ == "__main__":
    check_shapes("vgg-16", 300, [38, 19, 10, 5, 3, 1], 8732)  # the paper's 8,732 boxes
    check_shapes("resnet-50", 300, [19, 10, 5, 3, 2, 1], 2268)
    check_shapes("resnet-50", 512, [32, 16, 8, 4, 2, 1], 6132)
    check_freezing()
    check_published_weights()
