"""GluonCV's SSD networks by name, and a small one of our own for a processor and small objects."""

import math
import re
from collections.abc import Sequence

import mxnet as mx
from gluoncv.model_zoo import get_model
from gluoncv.model_zoo.ssd.ssd import SSD, get_ssd
from mxnet.gluon import HybridBlock, nn

from . import anchors
from .names import SMALL, STRIDES

BLOCKS = (  # of the small body: channels and stride of each convolution; one block a level
    ((16, 2), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1)),
    ((96, 2), (96, 1)),
    ((128, 2), (128, 1)),
)
CHANNELS = 64


class SmallBody(HybridBlock):
    """Plain 3x3 convolutions with batch norms; features at STRIDES, the coarser ones added to the finer."""

    def __init__(self, pretrained: bool = False, ctx: object = None, root: str = "") -> None:
        """The arguments are those that GluonCV passes; there is nothing pretrained."""
        super().__init__()
        with self.name_scope():
            self.blocks, self.sides, self.merged = (nn.HybridSequential() for _ in range(3))
            for block in BLOCKS:
                stage = nn.HybridSequential()
                for channels, stride in block:
                    stage.add(*_convolution(channels, 3, stride))
                self.blocks.add(stage)
                self.sides.add(nn.Conv2D(CHANNELS, 1))
                merge = nn.HybridSequential()
                merge.add(*_convolution(CHANNELS, 3, 1))
                self.merged.add(merge)

    def hybrid_forward(self, F, x):
        """Features, finest first."""
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        below = None
        outputs = []
        for feature, side, merge in reversed(list(zip(found, self.sides, self.merged, strict=True))):
            side_feature = side(feature)
            if below is not None:
                side_feature = side_feature + F.UpSampling(below, scale=2, sample_type="nearest")
            below = side_feature
            outputs.append(merge(side_feature))
        return outputs[::-1]


def build(name: str, classes: Sequence[str], sides: anchors.Sides | None, longest: int, seed: int = 0) -> SSD:
    """A network with initial weights on the CPU.

    Args: `sides` fitted anchors, for `small` only; `longest` the longest side in pixels of what it will see.
    """
    mx.random.seed(seed)
    if name == SMALL:
        network = _small(classes, sides, longest)
    elif name.endswith("_custom"):
        network = get_model(name, classes=list(classes), pretrained_base=False)
    else:
        network = get_model(name, pretrained=False, pretrained_base=False)
    initialize(network, longest if name == SMALL else base_size(name))
    if list(network.classes) != list(classes):
        network.reset_class(list(classes))
    return network


def initialize(network: SSD, side: int) -> None:
    """Give parameters without a value one; the shapes are those for square pictures of `side` pixels."""
    for parameter in network.collect_params().values():
        if parameter._data is None:  # the anchors have theirs
            parameter.initialize(_initializer(parameter.name))
    network(mx.nd.zeros((1, 3, side, side)))  # infers the shapes


def base_size(name: str) -> int:
    """The side of the square that a network of the zoo is made for, as its name says."""
    return int(re.match(r"ssd_(\d+)_", name)[1])


def _initializer(name: str) -> mx.init.Initializer | None:
    """By name: layers that GluonCV adds to a base network have lost theirs, and would get random variances."""
    if name.endswith("_weight"):
        return mx.init.Xavier(magnitude=2)
    if name.endswith(("_gamma", "_var")):
        return mx.init.One()
    if name.endswith(("_beta", "_mean", "_bias")):
        return mx.init.Zero()
    return None


def _small(classes: Sequence[str], sides: anchors.Sides, longest: int) -> SSD:
    levels = len(STRIDES)
    return get_ssd(
        SMALL,
        longest,
        features=SmallBody,
        filters=None,
        sizes=[0] * (levels + 1),  # the generator below has its own
        ratios=[[1]] * levels,
        steps=STRIDES,
        classes=list(classes),
        dataset="",
        pretrained_base=False,
        anchor_generator=anchors.generator(sides),
        anchor_alloc_size=max(64, math.ceil(longest / STRIDES[0])),
    )


def _convolution(channels: int, kernel: int, stride: int) -> tuple[HybridBlock, ...]:
    return (
        nn.Conv2D(channels, kernel, stride, kernel // 2, use_bias=False),
        nn.BatchNorm(),
        nn.Activation("relu"),
    )


class Heads(HybridBlock):
    """A network's raw output, the same in training and not: class scores, box codes, anchors.

    GluonCV's own forward answers differently while gradients are recorded, and a hybridized network keeps whichever
    graph it saw first; MXNet may crash when it is made to change between them.
    """

    def __init__(self, network: SSD) -> None:
        super().__init__()
        self.network = network

    def hybrid_forward(self, F, x):
        """[B, N, classes + 1], [B, N, 4], [1, N, 4]."""
        network = self.network
        features = network.features(x)
        scores = [_flat(F, head(f)) for f, head in zip(features, network.class_predictors, strict=True)]
        codes = [_flat(F, head(f)) for f, head in zip(features, network.box_predictors, strict=True)]
        boxes = [F.reshape(g(f), shape=(1, -1)) for f, g in zip(features, network.anchor_generators, strict=True)]
        return (
            F.concat(*scores, dim=1).reshape((0, -1, network.num_classes + 1)),
            F.concat(*codes, dim=1).reshape((0, -1, 4)),
            F.concat(*boxes, dim=1).reshape((1, -1, 4)),
        )


def _flat(F, prediction):
    return F.flatten(F.transpose(prediction, (0, 2, 3, 1)))
