"""GluonCV's SiamRPN at any width, for a given batch and size of the searched square."""

import mxnet as mx
from gluoncv.model_zoo.siamrpn.siam_alexnet import AlexNetLegacy
from gluoncv.model_zoo.siamrpn.siam_net import SiamRPN
from gluoncv.model_zoo.siamrpn.siam_rpn import DepthwiseRPN

from .names import Settings

EXPLORED = 0.02  # what a new head's last weights are multiplied with: it starts with "no offset, no opinion"


def build(settings: Settings, width: float, hidden: int, batch: int, side: int, context: mx.Context) -> SiamRPN:
    """A network without values, its layers as wide as `width` times AlexNet's and its head of `hidden` channels.

    GluonCV writes the sizes of its correlation down in the head, and only those of batch 1 and side 287 or side 255.
    """
    network = SiamRPN(ctx=context)
    network.backbone = AlexNetLegacy(width_mult=width, ctx=context)
    network.rpn_head = DepthwiseRPN(ctx=context, anchor_num=settings.anchors, out_channels=hidden)
    kernel, searched = (_features(pixels) - 2 for pixels in (settings.exemplar, side))
    for branch in (network.rpn_head.cls, network.rpn_head.loc):
        branch.kernel_size = [batch, hidden, kernel, kernel]
        branch.search_size = [batch, hidden, searched, searched]
        branch.out_size = [batch, hidden, searched - kernel + 1, searched - kernel + 1]
    return network


def initialize(network: SiamRPN, settings: Settings, side: int, context: mx.Context, seed: int) -> None:
    """Random first values, and all shapes."""
    mx.random.seed(seed)
    network.initialize(mx.init.MSRAPrelu(slope=0.0), ctx=context, force_reinit=True)
    batch = network.rpn_head.cls.kernel_size[0]
    network(*(mx.nd.zeros((batch, 3, pixels, pixels), context) for pixels in (settings.exemplar, side)))
    for branch in (network.rpn_head.cls, network.rpn_head.loc):
        last = branch.head[-1]
        last.weight.set_data(last.weight.data() * EXPLORED)  # the boxes' L1 loss does not recover from wild ones


def copy(source: SiamRPN, target: SiamRPN) -> None:
    """Give `target` the values of `source`."""
    values = source._collect_params_with_prefix()
    for name, parameter in target._collect_params_with_prefix().items():
        parameter.set_data(values[name].data())


def _features(pixels: int) -> int:
    """Side of AlexNetLegacy's features of a square of `pixels`."""
    pixels = ((pixels - 11) // 2 + 1 - 3) // 2 + 1  # convolution 11 by 2, pooling 3 by 2
    return (pixels - 4 - 3) // 2 + 1 - 6  # convolution 5, pooling 3 by 2, three convolutions 3
