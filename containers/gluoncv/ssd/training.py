"""The training loop: epochs of batches over one or several devices and hosts."""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence

import mxnet as mx
import numpy as np
from detection import schedule
from detection.prefetch import Prefetched
from gluoncv.loss import SSDMultiBoxLoss
from gluoncv.model_zoo.ssd.ssd import SSD
from mxnet import autograd
from mxnet.gluon.utils import clip_global_norm, split_and_load
from sagemaker_contract import StopRequest, UserError

from .batches import Batch, Batches
from .hosts import Hosts
from .networks import Heads
from .targets import Targets


class Training:
    """A network, its optimizer and where they are in the schedule (`iteration`)."""

    def __init__(
        self,
        network: SSD,
        batches: Batches,
        loss: tuple[Targets, SSDMultiBoxLoss],
        contexts: Sequence[mx.Context],
        hosts: Hosts,
        arguments: argparse.Namespace,
        log: Callable[[int, Mapping[str, float]], None],
    ) -> None:
        """`log` gets the iteration and what the first host measured, every `log_period` iterations."""
        self.batches, self.contexts = batches, contexts
        self._hosts, self._arguments, self._log = hosts, arguments, log
        self._targets, self._loss = loss
        network.collect_params().reset_ctx(list(contexts))
        self._heads = Heads(network)
        self._heads.hybridize(static_alloc=True)
        self._parameters = [p for p in network.collect_params().values() if p.grad_req != "null"]
        self.optimizer = mx.gluon.Trainer(
            network.collect_params(),
            arguments.optimizer,
            _settings(arguments),
            kvstore=hosts.store or ("device" if len(contexts) > 1 else None),
            update_on_kvstore=False,
        )
        self.iteration, self.total = 0, len(batches) * arguments.epochs
        self._first = 0
        self._sums: list[tuple[float, float]] = []
        self._since = time.perf_counter()

    def epoch(self, number: int, stop: StopRequest) -> bool:
        """One epoch (from 0); returns whether it was left because a stop was requested on any host."""
        self._since = time.perf_counter()
        for batch in Prefetched(self.batches.epoch(number)):
            self._step(batch)
            if schedule.is_due(self.iteration - 1, self.total, self._arguments.log_period):
                self._report(number + 1)
            if self._hosts.any(bool(stop)):
                return True
        return False

    def begin(self, iteration: int) -> None:
        """Go on at this iteration of the schedule."""
        self.iteration = self._first = iteration

    @property
    def made(self) -> int:
        """Iterations of this run."""
        return self.iteration - self._first

    @property
    def lr(self) -> float:
        """The learning rate of the next iteration."""
        arguments = self._arguments
        if arguments.lr_decay == "cosine" or not arguments.lr_decay_epochs:
            factor = schedule.lr_factor(self.iteration, self.total, warm_up=arguments.warm_up, decay=arguments.lr_decay)
            return arguments.lr * factor
        warm_up = min(1.0, (self.iteration + 1) / max(1, round(arguments.warm_up * self.total)))
        passed = sum(self.iteration >= epoch * len(self.batches) for epoch in arguments.lr_decay_epochs)
        return arguments.lr * warm_up * arguments.lr_decay_factor**passed

    def _step(self, batch: Batch) -> None:
        self.optimizer.set_learning_rate(self.lr)
        images, labels = (split_and_load(mx.nd.array(part), self.contexts) for part in batch)
        with autograd.record():
            outputs = [self._heads(image) for image in images]
            scores, codes, anchors = zip(*outputs, strict=True)
            targets = [self._targets(a, label) for a, label in zip(anchors, labels, strict=True)]
            classes, boxes = zip(*targets, strict=True)
            sums, cls, box = self._loss(list(scores), list(codes), list(classes), list(boxes))
            autograd.backward(sums)
        self.optimizer.allreduce_grads()
        for context in self.contexts:
            # gradients are the sums over the hosts here, and equal on all of them
            clip_global_norm([p.grad(context) for p in self._parameters], self._arguments.clip_gradients)
        self.optimizer.update(self._hosts.count)
        self._sums.append(tuple(float(sum(part.sum().asscalar() for part in loss)) for loss in (cls, box)))
        self.iteration += 1

    def _report(self, epoch: int) -> None:
        if self._hosts.rank == 0:
            cls, box = np.mean(self._sums, axis=0)
            speed = len(self._sums) * self._arguments.batch_size / (time.perf_counter() - self._since)
            values = {
                "epoch": epoch,
                "loss": cls + box,
                "loss_cls": cls,
                "loss_box": box,
                "lr": self.optimizer.learning_rate,
            }
            self._log(self.iteration, {**values, "images_per_second": speed})
        self._sums, self._since = [], time.perf_counter()


def contexts(device: str, count: int | None) -> list[mx.Context]:
    """The devices that share a batch: `count`, or all GPUs that there are, or one processor.

    Raises UserError when a GPU is wanted and there is none.
    """
    gpus = mx.context.num_gpus()
    if device == "gpu" and not gpus:
        raise UserError("--device gpu: this machine has no GPU that MXNet can use; auto or cpu")
    if gpus and device != "cpu":
        return [mx.gpu(i) for i in range(count or gpus)]
    return [mx.cpu(i) for i in range(count or 1)]


def _settings(arguments: argparse.Namespace) -> dict[str, float]:
    settings = {"learning_rate": arguments.lr, "wd": arguments.weight_decay}
    return {**settings, "momentum": arguments.momentum} if arguments.optimizer == "sgd" else settings
