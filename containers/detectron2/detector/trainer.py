"""The training loop: detectron2's trainer with clipped gradients and a learning rate computed from the iteration."""

import argparse
import logging
import time

import torch
from detection.prefetch import Prefetched
from detection.schedule import lr_factor
from detectron2.config import CfgNode
from detectron2.data import build_detection_train_loader
from detectron2.engine import SimpleTrainer
from detectron2.solver.build import get_default_optimizer_params
from torch.nn.parallel import DistributedDataParallel

from .pictures import Mapper

# It logs every exception with a traceback, those of users and early stops too; `sagemaker_contract.run` reports them.
logging.getLogger("detectron2.engine.train_loop").disabled = True


class StopTraining(Exception):
    """Ends the iterations early and in order; its text is the reason."""


class Trainer(SimpleTrainer):
    """Runs the iterations; what happens between them is in `hooks`."""

    def __init__(self, model: torch.nn.Module, loader, optimizer, arguments: argparse.Namespace) -> None:
        super().__init__(model, loader, optimizer)
        self._arguments = arguments
        self.lr = 0.0

    def run_step(self) -> None:
        """One iteration: learning rate, forward, backward, clip, update."""
        arguments = self._arguments
        factor = lr_factor(self.iter, arguments.num_iter, warm_up=arguments.warm_up, decay=arguments.lr_decay)
        self.lr = arguments.lr * factor
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        start = time.perf_counter()
        batch = next(self._data_loader_iter)
        data_time = time.perf_counter() - start
        losses = self.model(batch)
        self.optimizer.zero_grad()
        sum(losses.values()).backward()
        self._write_metrics(losses, data_time)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), arguments.clip_gradients)
        self.optimizer.step()

    @property
    def detector(self) -> torch.nn.Module:
        """The model without the wrapper of several processes."""
        return self.model.module if isinstance(self.model, DistributedDataParallel) else self.model


def build_optimizer(model: torch.nn.Module, arguments: argparse.Namespace) -> torch.optim.Optimizer:
    """AdamW or SGD with momentum; norms are not decayed."""
    parameters = get_default_optimizer_params(
        model, base_lr=arguments.lr, weight_decay=arguments.weight_decay, weight_decay_norm=0.0
    )
    if arguments.optimizer == "sgd":
        return torch.optim.SGD(parameters, arguments.lr, momentum=0.9)
    return torch.optim.AdamW(parameters, arguments.lr)


def build_loader(records: list, mapper: Mapper, cfg: CfgNode, arguments: argparse.Namespace):
    """Endless shuffled batches, this process's share of them; pictures without boxes included."""
    workers = arguments.num_workers
    if workers is None:
        workers = 4 if cfg.MODEL.DEVICE == "cuda" else 0
    loader = build_detection_train_loader(
        records,
        mapper=mapper,
        total_batch_size=arguments.batch_size,
        num_workers=workers,
        aspect_ratio_grouping=True,
    )
    return loader if workers else Prefetched(loader)
