"""What each anchor should have answered, by GluonCV's target generator."""

import mxnet as mx
from gluoncv.model_zoo.ssd.target import SSDTargetGenerator


class Targets:
    """Matches boxes and anchors: the best anchor of each box, and every one of IoU above `iou`."""

    def __init__(self, iou: float) -> None:
        # hard negatives are chosen by the loss
        self._generator = SSDTargetGenerator(iou_thresh=iou, negative_mining_ratio=-1)

    def __call__(self, anchors: mx.nd.NDArray, labels: mx.nd.NDArray) -> tuple[mx.nd.NDArray, mx.nd.NDArray]:
        """Classes [B, N], 0 = background, and box codes [B, N, 4] for anchors [1, N, 4] and labels [B, M, 5]."""
        with mx.autograd.pause():
            classes, codes, _ = self._generator(anchors, None, labels[:, :, :4], labels[:, :, 4:5])
            # in a picture without boxes every anchor is matched with the padding, whose code is infinite
            answers = mx.nd.broadcast_like(classes.expand_dims(-1) > 0, codes)
            return classes, mx.nd.where(answers, codes, mx.nd.zeros_like(codes))
