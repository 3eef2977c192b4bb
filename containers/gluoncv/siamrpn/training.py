"""The training loop: iterations over batches of pairs, on one device."""

import argparse
import time

import mxnet as mx
import numpy as np
from detection import metric_lines, schedule
from detection.prefetch import Prefetched
from gluoncv.loss import SiamRPNLoss
from gluoncv.model_zoo.siamrpn.siam_net import SiamRPN
from mxnet import autograd
from mxnet.gluon.utils import clip_global_norm
from sagemaker_contract import StopRequest

from .pairs import Batch, Pairs

HARD = 64  # anchors without the target that count, for each pair of a batch


class Training:
    """A network, its optimizer and where they are in the schedule (`iteration`)."""

    def __init__(self, network: SiamRPN, pairs: Pairs, context: mx.Context, arguments: argparse.Namespace) -> None:
        self.network, self._pairs, self._context, self._arguments = network, pairs, context, arguments
        self._parameters = [p for p in network.collect_params().values() if p.grad_req != "null"]
        self.optimizer = mx.gluon.Trainer(
            network.collect_params(),
            "adam",
            {"learning_rate": arguments.lr, "wd": arguments.weight_decay},
            kvstore=None,
        )
        self._loss = SiamRPNLoss(arguments.batch_size)
        *_, self._loss.h, self._loss.w = network.rpn_head.cls.out_size
        network.hybridize(static_alloc=True, static_shape=True)
        self.iteration, self.total = 0, arguments.iterations
        self._sums: list[tuple[float, float]] = []

    def run(self, until: int, stop: StopRequest) -> bool:
        """Train up to iteration `until`; returns whether it was left because a stop was requested."""
        self._since = time.perf_counter()
        for batch in Prefetched(self._pairs.batch(number) for number in range(self.iteration, until)):
            self._step(batch)
            if schedule.is_due(self.iteration - 1, self.total, self._arguments.log_period):
                self._report()
            if stop:
                return True
        return False

    @property
    def lr(self) -> float:
        """The learning rate of the next iteration."""
        given = self._arguments
        return given.lr * schedule.lr_factor(self.iteration, self.total, warm_up=given.warm_up, decay=given.lr_decay)

    def _step(self, batch: Batch) -> None:
        self.optimizer.set_learning_rate(self.lr)
        templates, searched, classes, codes, weights = (mx.nd.array(part, self._context) for part in batch)
        with autograd.record():
            answers = self.network(templates, searched)
            with autograd.pause():
                chosen = self._chosen(answers[0], batch.classes)
            cls, box = self._loss(*answers, classes, *chosen, codes, weights)
            total = cls + self._arguments.box_weight * box
        total.backward()
        clip_global_norm([p.grad(self._context) for p in self._parameters], self._arguments.clip_gradients)
        self.optimizer.step(1)
        self._sums.append((float(cls.asscalar()), float(box.asscalar())))
        self.iteration += 1

    def _chosen(self, logits: mx.nd.NDArray, classes: np.ndarray) -> list[mx.nd.NDArray | list]:
        """Indices of the anchors that count: those with the target, and of those without it the ones that look most
        like it. Most of a searched square is easy; what a tracker jumps to is the target's neighbour of the same kind.
        """
        margin = logits.reshape((len(classes), 2, -1)).asnumpy()
        margin = (margin[:, 1] - margin[:, 0]).reshape(-1)
        positive, negative = (np.flatnonzero(classes.reshape(-1) == kind) for kind in (1, 0))
        hardest = min(len(negative), len(classes) * HARD)
        negative = negative[np.argpartition(-margin[negative], hardest - 1)[:hardest]] if hardest else negative
        return [mx.nd.array(part, self._context) if len(part) else [] for part in (positive, negative)]

    def _report(self) -> None:
        cls, box = np.mean(self._sums, axis=0)
        speed = len(self._sums) * self._arguments.batch_size / (time.perf_counter() - self._since)
        values = {"loss": cls + self._arguments.box_weight * box, "loss_cls": cls, "loss_box": box}
        values = {**values, "lr": self.optimizer.learning_rate, "images_per_second": speed}
        print(metric_lines.line("training", self.iteration, values), flush=True)
        self._sums, self._since = [], time.perf_counter()
