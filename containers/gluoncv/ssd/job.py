"""One training job, from the manifests to the files of the model."""

import argparse
import shutil
import time
from dataclasses import asdict, dataclass
from typing import Any

import gluoncv
import mxnet as mx
import numpy as np
from detection import anchors, datasets, metric_lines, report, schedule
from detection.augment import Augmentation, fitted_crop
from detection.files import write_json
from detection.history import History
from detection.pictures import PictureCache
from gluoncv.loss import SSDMultiBoxLoss
from gluoncv.model_zoo.ssd.ssd import SSD
from sagemaker_contract import Environment, StopRequest

from . import checkpoints, export, hosts, networks, training, weights
from .anchors import Sides, sides_of
from .batches import Batches
from .evaluation import Evaluator
from .names import BEST, CONFIG, SMALL, STRIDES
from .pictures import LetterBox, TrainingPictures
from .targets import Targets


@dataclass
class Parts:
    """What a job works with."""

    arguments: argparse.Namespace
    environment: Environment
    stop: StopRequest
    hosts: hosts.Hosts
    data: datasets.Data
    box: LetterBox
    sides: Sides | None
    network: SSD
    history: History

    @property
    def nms(self) -> dict[str, Any]:
        """Of evaluation and serving."""
        given = self.arguments
        return {"threshold": given.nms_threshold, "topk": given.nms_topk, "most": given.detections_per_image}

    @property
    def keeps(self) -> bool:
        """SageMaker makes the folder for jobs with a CheckpointConfig."""
        return self.environment.checkpoint_dir.is_dir()


def run(arguments: argparse.Namespace, environment: Environment, stop: StopRequest) -> None:
    """Train as the arguments say; the first of several hosts writes the files."""
    started = time.perf_counter()
    data = datasets.load(arguments)
    group = hosts.join(environment)
    box = letter_box(arguments)
    parts, fitted = _prepare(arguments, environment, stop, group, data, box)
    loss = (Targets(arguments.anchor_iou), SSDMultiBoxLoss(min_hard_negatives=arguments.hard_negatives))
    process = training.Training(parts.network, _batches(parts), loss, training.contexts(arguments), group, arguments)
    start = _resume(parts, process)
    evaluator = Evaluator(parts.network, data.validation, box, loss, parts.nms) if data.validation else None
    before = process.iteration
    reason = _epochs(parts, process, evaluator, start)
    if group.rank == 0:
        _write_model(parts)
        outcome = report.Outcome(reason, process.iteration, process.iteration - before, time.perf_counter() - started)
        versions = {"mxnet": mx.__version__, "gluoncv": gluoncv.__version__, "numpy": np.__version__}
        report.write(arguments, environment, data, fitted, parts.history, outcome, versions)


def letter_box(arguments: argparse.Namespace) -> LetterBox:
    """How pictures become inputs: padded to the coarsest stride, or to the zoo's square."""
    if arguments.network == SMALL:
        return LetterBox(arguments.shortest_side, arguments.longest_side, STRIDES[-1])
    side = arguments.longest_side or networks.base_size(arguments.network)
    return LetterBox(side, side, side)


def _prepare(
    arguments: argparse.Namespace,
    environment: Environment,
    stop: StopRequest,
    group: hosts.Hosts,
    data: datasets.Data,
    box: LetterBox,
) -> tuple[Parts, anchors.Anchors | None]:
    path = weights.resolve(arguments)
    sides, fitted = weights.earlier_sides(path, arguments), None
    if arguments.network == SMALL and sides is None:
        boxes, class_ids = data.box_sides(box.shortest, box.longest)
        balance = anchors.class_balance(class_ids)
        fitted = anchors.fit(boxes, balance, len(STRIDES), arguments.anchors_per_level, arguments.seed)
        sides = sides_of(fitted)
    network = networks.build(arguments.network, data.classes, sides, box.longest, arguments.seed)
    taken = checkpoints.load_weights(network, path) if path else None
    if group.rank == 0:
        print(*data.lines(), sep="\n")
        if fitted:
            print(*fitted.lines([f"stride {stride}" for stride in STRIDES]), sep="\n")
        if taken:
            print(f"weights: {taken[0]} tensors of {path}; new: {', '.join(taken[1]) or 'none'}")
        print(f"{arguments.network}, {group.count} host(s), {training.contexts(arguments)}", flush=True)
    return Parts(arguments, environment, stop, group, data, box, sides, network, History()), fitted


def _batches(parts: Parts) -> Batches:
    arguments, data, box = parts.arguments, parts.data, parts.box
    crop = arguments.crop
    if crop == "fitted":
        crop = fitted_crop(*data.box_sides(box.shortest, box.longest))
    how = Augmentation(arguments.flip, arguments.scale_jitter, crop, arguments.colour_jitter)
    pictures = TrainingPictures(box, PictureCache(arguments.cache_mb << 20), how)
    share = max(1, arguments.batch_size // parts.hosts.count)
    return Batches(data.training, pictures, share, arguments.seed, parts.hosts.rank, parts.hosts.count)


def _resume(parts: Parts, process: training.Training) -> int:
    """The epoch to go on with: 0, or where an interrupted run of this job ended."""
    folder = parts.environment.checkpoint_dir
    meta = checkpoints.load_state(folder, parts.network, process.optimizer)
    if meta is None:
        return 0
    process.iteration = meta["iteration"]
    parts.history.rows.extend(meta["history"])
    if parts.history.rows and parts.hosts.rank == 0:
        parts.arguments.model_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / BEST, parts.arguments.model_dir)
    print(f"going on after epoch {meta['epoch']}, iteration {meta['iteration']}", flush=True)
    return meta["epoch"]


def _epochs(parts: Parts, process: training.Training, evaluator: Evaluator | None, start: int) -> str:
    """Run the epochs; returns why they ended."""
    arguments, group = parts.arguments, parts.hosts
    period = schedule.evaluation_period(arguments.epochs, arguments.eval_period)
    for epoch in range(start, arguments.epochs):
        left = process.epoch(epoch, parts.stop)
        group.average_norms(parts.network)
        if left:
            # the epoch is begun anew, from its first iteration's place in the schedule
            _checkpoint(parts, process, epoch, epoch * len(process.batches))
            return "stop requested"
        due = schedule.is_due(epoch, arguments.epochs, period)
        if due and evaluator and group.rank == 0:
            _evaluate(parts, process, evaluator, epoch + 1)
        if due:
            _checkpoint(parts, process, epoch + 1, process.iteration)
        if due and group.any(group.rank == 0 and parts.history.stalled(arguments.early_stop)):
            return f"no better AP50 in {arguments.early_stop} evaluations"
    return "all epochs done"


def _evaluate(parts: Parts, process: training.Training, evaluator: Evaluator, epoch: int) -> None:
    values = evaluator.evaluate(process.contexts[0])
    better = parts.history.add(process.iteration, {"epoch": epoch, **values})
    numbers = {"epoch": epoch, **{name: value for name, value in values.items() if "/" not in name}}
    print(metric_lines.line("validation", process.iteration, numbers), flush=True)
    parts.history.write_csv(parts.environment.output_data_dir / "history.csv")
    folders = [parts.arguments.model_dir, *([parts.environment.checkpoint_dir] if parts.keeps else [])]
    for folder in folders if better else ():
        checkpoints.save_weights(parts.network, folder / BEST)


def _checkpoint(parts: Parts, process: training.Training, epoch: int, iteration: int) -> None:
    if parts.keeps and parts.hosts.rank == 0:
        meta = {"epoch": epoch, "iteration": iteration, "history": parts.history.rows}
        checkpoints.save_state(parts.environment.checkpoint_dir, parts.network, process.optimizer, meta)


def _write_model(parts: Parts) -> None:
    """The best weights, or the last without an evaluation, in all the forms that a model directory holds."""
    folder, box = parts.arguments.model_dir, parts.box
    if parts.history.rows:
        checkpoints.load_weights(parts.network, folder / BEST)
    else:
        checkpoints.save_weights(parts.network, folder / BEST)
    record = parts.data.training[0]
    canvas = box.canvas(box.scaled(record["width"], record["height"]))
    export.symbol(parts.network, folder, canvas, parts.nms)
    difference = export.onnx(parts.network, folder, canvas) if parts.arguments.onnx == "true" else None
    if difference is not None:
        print(f"model.onnx: input {canvas[0]}x{canvas[1]}, differs from MXNet by {difference:.1g}")
    content = {
        "network": parts.arguments.network,
        "classes": parts.data.classes,
        "letter_box": asdict(box),
        "anchors": parts.sides,
    }
    write_json(folder / CONFIG, content)
