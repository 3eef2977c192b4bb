# ruff: noqa: E402  (MXNet imports only after compat.prepare)
"""Networks, anchors, targets: what training sees is what GluonCV's own network answers."""

from ssd import compat

compat.prepare()

import mxnet as mx
import numpy as np
from gluoncv.loss import SSDMultiBoxLoss
from mxnet import autograd
from ssd import networks
from ssd.decoded import Detector
from ssd.networks import Heads
from ssd.targets import Targets

CLASSES = ["a", "b", "c"]
SIDES = [[(10.0, 20.0), (20.0, 10.0)], [(40.0, 30.0), (30.0, 40.0)], [(80.0, 90.0), (90.0, 60.0)]]
random = np.random.default_rng(0)


def check_anchors(network: object) -> None:
    _, _, anchors = Heads(network)(mx.nd.zeros((1, 3, 64, 96)))
    anchors = anchors[0].asnumpy()
    assert len(anchors) == 2 * (8 * 12 + 4 * 6 + 2 * 3)
    np.testing.assert_allclose(anchors[:4], [[4, 4, 10, 20], [4, 4, 20, 10], [12, 4, 10, 20], [12, 4, 20, 10]])
    np.testing.assert_allclose(anchors[-1], [80, 48, 90, 60])


def check_heads_answer_as_the_network_does(network: object) -> None:
    image = mx.nd.array(random.normal(size=(2, 3, 64, 96)))
    heads = Heads(network)
    heads.hybridize(static_alloc=True)
    for _ in range(3):  # in and out of training, which a hybridized network of GluonCV's does not survive
        with autograd.record():
            trained = heads(image)
            autograd.backward([trained[0].sum()])
        raw = heads(image)
        assert [part.shape for part in raw] == [part.shape for part in trained]
    network.set_nms(0.45, 400, 100)
    network.hybridize(False)
    expected = [part.asnumpy() for part in network(image)]
    found = Detector(network, threshold=0.45, topk=400, most=100).decode(*raw)
    for i in range(2):
        kept = expected[0][i, :, 0] >= 0
        assert len(found[i].scores) == kept.sum() > 0
        np.testing.assert_allclose(found[i].scores, np.sort(expected[1][i, kept, 0])[::-1], rtol=1e-4)


def check_targets() -> None:
    anchors = mx.nd.array([[[20, 20, 20, 20], [40, 20, 20, 20], [22, 20, 20, 20], [90, 90, 8, 8]]])
    labels = np.full((2, 2, 5), -1.0)
    labels[0, 0] = [10, 10, 30, 30, 2]
    classes, codes = Targets(0.5)(anchors, mx.nd.array(labels))
    assert classes.asnumpy().tolist() == [[3, 0, 3, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(codes[0].asnumpy()[[0, 2]], [[0, 0, 0, 0], [-1, 0, 0, 0]], atol=1e-5)
    assert np.isfinite(codes.asnumpy()).all()  # the second picture has no box
    scores = mx.nd.zeros((2, 4, 4))
    total, _, _ = SSDMultiBoxLoss(min_hard_negatives=3)(scores, codes, classes, codes)
    assert np.isfinite(total[0].asnumpy()).all()
    assert total[0][1].asscalar() > 0  # its background is learned too


def check_zoo(name: str) -> None:
    network = networks.build(name, CLASSES, None, networks.base_size(name))
    assert list(network.classes) == CLASSES
    side = networks.base_size(name)
    scores, codes, anchors = Heads(network)(mx.nd.array(random.normal(size=(1, 3, side, side))))
    assert np.isfinite(scores.asnumpy()).all()
    assert all((p.data().asnumpy() == 1).all() for p in network.collect_params(".*_(gamma|var)$").values())
    assert scores.shape[1:] == (anchors.shape[1], 4)
    assert codes.shape[1] == anchors.shape[1]


small = networks.build("small", CLASSES, SIDES, 96, seed=1)
check_anchors(small)
check_heads_answer_as_the_network_does(small)
check_targets()
check_zoo("ssd_300_mobilenet0.25_custom")
check_zoo("ssd_300_mobilenet0.25_voc")
