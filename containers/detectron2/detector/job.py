"""One training job, from the manifests to the files of the model."""

import argparse
import shutil
import time
from collections.abc import Callable
from functools import partial

import detectron2
import torch
import torchvision
from detection import anchors, datasets, report, schedule
from detection.augment import Augmentation, fitted_crop, resized
from detection.history import History
from detection.pictures import PictureCache
from detectron2.config import CfgNode
from detectron2.modeling import build_model
from detectron2.utils import comm
from detectron2.utils.env import seed_all_rng
from sagemaker_contract import Environment, StopRequest

from . import checkpoints, config, distributed, model_files, weights
from .evaluation import Evaluator
from .hooks import Checkpoints, CleanStop, LossLines, Validation
from .matching import TopMatcher
from .pictures import Mapper
from .trainer import StopTraining, Trainer, build_loader, build_optimizer


def run(arguments: argparse.Namespace, environment: Environment, stop: StopRequest | None = None) -> None:
    """Train as the arguments say, in each of a job's processes; the first of them writes the files.

    Without `stop`, in a process started for a further GPU, a new one listens here.
    """
    started = time.perf_counter()
    stop = stop or StopRequest().listen()
    seed_all_rng(arguments.seed + comm.get_rank())
    data = datasets.load(arguments)
    cfg, fitted = _configure(arguments, data)
    _announce(data, cfg, fitted)
    history = History()
    trainer = _trainer(cfg, arguments, data)
    start = _resume(trainer, arguments, environment, history)
    _add_hooks(trainer, arguments, environment, data, history, stop)
    reason = _train(trainer, start, arguments.num_iter)
    if comm.is_main_process():
        if not history.rows:
            checkpoints.save_weights(trainer.detector, arguments.model_dir / weights.BEST)
        model_files.write(arguments.model_dir, config.served(cfg, arguments.score_threshold), data.classes)
        outcome = report.Outcome(reason, trainer.iter, trainer.iter - start, time.perf_counter() - started)
        versions = {module.__name__: module.__version__ for module in (detectron2, torch, torchvision)}
        report.write(arguments, environment, data, fitted, history, outcome, versions)


def _configure(arguments: argparse.Namespace, data: datasets.Data) -> tuple[CfgNode, anchors.Anchors | None]:
    cfg = config.build(arguments, data.classes, distributed.pick_device(arguments.device))
    if arguments.anchors == "zoo":
        return cfg, None
    sides, class_ids = data.box_sides(_resized(arguments))
    balance = anchors.class_balance(class_ids)
    levels = len(config.feature_levels(cfg))
    fitted = anchors.fit(sides, balance, levels, arguments.anchors_per_level, arguments.seed)
    config.use_anchors(cfg, fitted)
    return cfg, fitted


def _resized(arguments: argparse.Namespace) -> Callable[[int, int], tuple[int, int]]:
    return partial(resized, shortest=arguments.shortest_side, longest=arguments.longest_side)


def _announce(data: datasets.Data, cfg: CfgNode, fitted: anchors.Anchors | None) -> None:
    if comm.is_main_process():
        print(*data.lines(), sep="\n")
        if fitted:
            print(*fitted.lines(config.feature_levels(cfg)), sep="\n")
        print(f"device {cfg.MODEL.DEVICE}, {comm.get_world_size()} process(es)", flush=True)


def _trainer(cfg: CfgNode, arguments: argparse.Namespace, data: datasets.Data) -> Trainer:
    model = build_model(cfg)
    if arguments.model_type == "retinanet":
        head = cfg.MODEL.RETINANET
        model.anchor_matcher = TopMatcher(head.IOU_THRESHOLDS, head.IOU_LABELS, arguments.anchors_per_box)
    if cfg.MODEL.DEVICE == "cpu":
        model = model.to(memory_format=torch.channels_last)  # 15 % less CPU time a step
    path = weights.resolve(arguments)
    if path:
        checkpoints.load_weights(model, path)
    crop = fitted_crop(*data.box_sides(_resized(arguments))) if arguments.crop == "fitted" else arguments.crop
    how = Augmentation(arguments.flip, arguments.scale_jitter, crop, arguments.colour_jitter)
    mapper = Mapper(arguments.shortest_side, arguments.longest_side, PictureCache(arguments.cache_mb << 20), how)
    loader = build_loader(data.training, mapper, cfg, arguments)
    return Trainer(distributed.wrap(model), loader, build_optimizer(model, arguments), arguments)


def _resume(trainer: Trainer, arguments: argparse.Namespace, environment: Environment, history: History) -> int:
    """The iteration to go on with: 0, or where an interrupted run of this job ended."""
    state = checkpoints.load_state(environment.checkpoint_dir)
    if state is None:
        return 0
    trainer.detector.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    history.rows.extend(state["history"])
    if history.rows and comm.is_main_process():
        arguments.model_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(environment.checkpoint_dir / weights.BEST, arguments.model_dir)
    print(f"going on after iteration {state['iteration']}", flush=True)
    return state["iteration"]


def _add_hooks(
    trainer: Trainer,
    arguments: argparse.Namespace,
    environment: Environment,
    data: datasets.Data,
    history: History,
    stop: StopRequest,
) -> None:
    period = schedule.evaluation_period(arguments.num_iter, arguments.eval_period)
    keeps = environment.checkpoint_dir.is_dir()  # SageMaker makes it for jobs with a CheckpointConfig
    hooks = [LossLines(arguments.log_period, arguments.batch_size)]
    if data.validation and arguments.evaluation_type != "none":
        mapper = Mapper(arguments.shortest_side, arguments.longest_side, PictureCache(0))  # seen a few times only
        evaluator = Evaluator(data.validation, mapper, data.classes)
        folders = [arguments.model_dir, *([environment.checkpoint_dir] if keeps else [])]
        table = environment.output_data_dir / "history.csv"
        hooks.append(Validation(evaluator, period, arguments.early_stop, history, folders, table))
    if keeps:
        hooks.append(Checkpoints(environment.checkpoint_dir, period, history, stop))
    trainer.register_hooks([*hooks, CleanStop(stop)])


def _train(trainer: Trainer, start: int, total: int) -> str:
    """Run the iterations; returns why they ended."""
    try:
        trainer.train(start, total)
    except StopTraining as reason:
        trainer.iter += 1
        return str(reason)
    return "all iterations done"
