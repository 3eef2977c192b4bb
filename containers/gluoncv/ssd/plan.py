"""What a job trains, and carrying it out: the same for GluonCV's own program and SageMaker's built-in algorithm."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gluoncv
import mxnet as mx
import numpy as np
from detection import report, schedule
from detection.anchors import Anchors, class_balance, fit
from detection.augment import Augmentation, fitted_crop
from detection.datasets import Data
from detection.history import History
from detection.pictures import PictureCache
from gluoncv.loss import SSDMultiBoxLoss
from gluoncv.model_zoo.ssd.ssd import SSD
from sagemaker_contract import Environment, StopRequest

from . import model_files, training
from .anchors import Sides, sides_of
from .batches import Batches
from .evaluation import Evaluator
from .hosts import Hosts
from .loop import Log, Loop
from .names import STRIDES
from .pictures import LetterBox, TrainingPictures
from .targets import Targets


@dataclass
class Plan:
    """A network, what it learns from and how; `arguments` are those of `arguments.parse`.

    `sides` are the small network's anchors, `fitted` those of them that were fitted to this job's boxes. `iou` is what
    a detection needs to be right in VOC's average precision. `ended` says of a history why to stop early, "" to go on.
    """

    arguments: argparse.Namespace
    data: Data
    box: LetterBox
    network: SSD
    sides: Sides | None
    fitted: Anchors | None
    log: Log
    history: History
    ended: Callable[[History], str]
    iou: float = 0.5

    @property
    def nms(self) -> dict[str, Any]:
        """Suppression in evaluation and serving."""
        given = self.arguments
        return {"threshold": given.nms_threshold, "topk": given.nms_topk, "most": given.detections_per_image}


def carry_out(plan: Plan, environment: Environment, hosts: Hosts, stop: StopRequest) -> None:
    """Train; the first of several hosts writes the files."""
    started = time.perf_counter()
    arguments, data, network = plan.arguments, plan.data, plan.network
    loss = (Targets(arguments.anchor_iou), SSDMultiBoxLoss(min_hard_negatives=arguments.hard_negatives))
    devices = training.contexts(arguments.device, arguments.num_devices)
    if hosts.rank == 0:
        print(f"{arguments.network}, {hosts.count} host(s), {devices}", flush=True)
    process = training.Training(network, _batches(plan, hosts), loss, devices, hosts, arguments, plan.log.training)
    evaluator = Evaluator(network, data.validation, plan.box, loss, plan.nms, plan.iou) if data.validation else None
    model_dir = arguments.model_dir
    loop = Loop(network, process, evaluator, hosts, environment, model_dir, plan.log, plan.history, plan.ended)
    reason = loop.run(arguments.epochs, schedule.evaluation_period(arguments.epochs, arguments.eval_period), stop)
    if hosts.rank == 0:
        canvas = plan.box.canvas(plan.box.scaled(data.training[0]["width"], data.training[0]["height"]))
        config = model_files.config(arguments.network, data.classes, plan.box, plan.sides)
        model_files.write(model_dir, network, config, plan.nms, canvas, with_onnx=arguments.onnx == "true")
        outcome = report.Outcome(reason, process.iteration, process.made, time.perf_counter() - started)
        versions = {module.__name__: module.__version__ for module in (mx, gluoncv, np)}
        report.write(arguments, environment, data, plan.fitted, plan.history, outcome, versions)


def fitted_sides(data: Data, box: LetterBox, per_level: int, seed: int) -> tuple[Sides, Anchors]:
    """The small network's anchors, fitted to the training boxes."""
    sides, class_ids = data.box_sides(box.scaled)
    fitted = fit(sides, class_balance(class_ids), len(STRIDES), per_level, seed)
    return sides_of(fitted), fitted


def announce(data: Data, fitted: Anchors | None) -> None:
    """Print what is trained on, and the anchors fitted to it."""
    print(*data.lines(), sep="\n")
    if fitted:
        print(*fitted.lines([f"stride {stride}" for stride in STRIDES]), sep="\n")


def _batches(plan: Plan, hosts: Hosts) -> Batches:
    arguments, data, box = plan.arguments, plan.data, plan.box
    crop = fitted_crop(*data.box_sides(box.scaled)) if arguments.crop == "fitted" else arguments.crop
    how = Augmentation(arguments.flip, arguments.scale_jitter, crop, arguments.colour_jitter)
    pictures = TrainingPictures(box, PictureCache(arguments.cache_mb << 20), how)
    share = max(1, arguments.batch_size // hosts.count)
    return Batches(data.training, pictures, share, arguments.seed, hosts.rank, hosts.count)
