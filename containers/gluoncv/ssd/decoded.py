"""Decoding and suppressing a network's raw output."""

import mxnet as mx
from gluoncv.model_zoo.ssd.ssd import SSD
from mxnet.gluon import HybridBlock

from .detections import Detections


class Decoded(HybridBlock):
    """Raw output of `Heads` to what each anchor says: probabilities [B, N, classes], boxes [B, N, 4] xyxy."""

    def __init__(self, network: SSD) -> None:
        super().__init__()
        self.decoder = network.bbox_decoder

    def hybrid_forward(self, F, scores, codes, anchors):
        """Without the background's probability."""
        return F.slice_axis(F.softmax(scores, axis=-1), axis=-1, begin=1, end=None), self.decoder(codes, anchors)


class Detector:
    """Decodes and suppresses as GluonCV's network does when it is not training."""

    def __init__(self, network: SSD, threshold: float, topk: int, most: int) -> None:
        self._network = network
        self._threshold, self._topk, self._most = threshold, topk, most

    def decode(self, scores: mx.nd.NDArray, codes: mx.nd.NDArray, anchors: mx.nd.NDArray) -> list[Detections]:
        """One for each picture of the batch, boxes in the input's pixels."""
        network = self._network
        boxes = network.bbox_decoder(codes, anchors)
        class_ids, probabilities = network.cls_decoder(mx.nd.softmax(scores, axis=-1))
        rows = [
            mx.nd.concat(class_ids[:, :, i : i + 1], probabilities[:, :, i : i + 1], boxes, dim=-1)
            for i in range(network.num_classes)
        ]
        kept = mx.nd.contrib.box_nms(
            mx.nd.concat(*rows, dim=1),
            overlap_thresh=self._threshold,
            topk=self._topk,
            valid_thresh=0.01,
            id_index=0,
            score_index=1,
            coord_start=2,
        )[:, : self._most].asnumpy()
        return [Detections.of(rows[:, :1], rows[:, 1:2], rows[:, 2:]) for rows in kept]
