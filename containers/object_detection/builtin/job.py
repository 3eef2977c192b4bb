"""A training job of the built-in algorithm: from its hyperparameters and channels to a plan."""

import argparse
import json
import logging
import math
from functools import partial
from pathlib import Path

from detection.datasets import Data
from detection.history import History
from detection.weights import cache_dir, unpack
from sagemaker_contract import Environment, StopRequest, UserError
from ssd import checkpoints, hosts, plan
from ssd.anchors import Sides
from ssd.names import BEST, CONFIG, STRIDES
from ssd.pictures import LetterBox

from . import channels, early_stopping, networks
from .hyperparameters import SMALL, Settings
from .log import METRIC, QualityMetrics

PER_LEVEL = 3  # anchors of the small network


def run(settings: Settings, environment: Environment, stop: StopRequest) -> None:
    """Train as the hyperparameters say."""
    data = channels.load(environment, settings)
    group = hosts.join(environment)
    box = letter_box(settings)
    earlier, sides = _earlier(environment, settings)
    fitted = None
    if settings.base_network == SMALL and sides is None:
        sides, fitted = plan.fitted_sides(data, box, PER_LEVEL, seed=0)
    weights = cache_dir() if settings.use_pretrained_model is not False and earlier is None else None
    network = networks.build(settings.base_network, data.classes, settings.image_shape, sides, weights, seed=0)
    if earlier:
        taken, new = checkpoints.load_weights(network, earlier)
        logging.info("incremental training: %d tensors of the earlier model, new: %s", taken, ", ".join(new) or "none")
    frozen = networks.freeze(network, settings.freeze_layer_pattern)
    if group.rank == 0:
        _announce(data, settings, frozen)
        plan.announce(data, fitted)
    arguments = training_arguments(settings, len(data.training), group.count, environment.model_dir)
    log = QualityMetrics(environment.current_host, settings.epochs)
    history = History(ranking=(METRIC,))
    ended = partial(early_stopping.ended, settings)
    iou = settings.overlap_threshold
    made = plan.Plan(arguments, data, box, network, sides, fitted, log, history, ended, iou)
    plan.carry_out(made, environment, group, stop)


def letter_box(settings: Settings) -> LetterBox:
    """Pictures are squashed to squares; the small network's levels need a multiple of its coarsest stride."""
    multiple = STRIDES[-1] if settings.base_network == SMALL else 1
    return LetterBox(settings.image_shape, settings.image_shape, multiple, squash=True)


def training_arguments(settings: Settings, samples: int, count: int, model_dir: Path) -> argparse.Namespace:
    """The settings in the terms of GluonCV's program, for `samples` pictures and `count` hosts.

    What the algorithm's documentation leaves open is as in that program, the augmentation as the documentation has it:
    flip, rescale and jitter. The small network sees a part of each picture, which costs less time.
    """
    return argparse.Namespace(
        network=settings.base_network,
        epochs=settings.epochs,
        batch_size=settings.mini_batch_size * count,
        optimizer=settings.optimizer,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        lr_decay="steps",
        lr_decay_epochs=settings.lr_scheduler_step or (settings.epochs,),  # the end changes nothing
        lr_decay_factor=settings.lr_scheduler_factor,
        warm_up=0,
        clip_gradients=10.0,
        seed=0,
        flip="horizontal",
        scale_jitter=1.25,
        crop="fitted" if settings.base_network == SMALL else 0,
        colour_jitter=0.2,
        anchor_iou=0.5,
        hard_negatives=3,
        eval_period=1,
        log_period=math.ceil(samples / (settings.mini_batch_size * count)),
        nms_threshold=settings.nms_threshold,
        nms_topk=400,
        detections_per_image=200,
        onnx="false",
        device="auto",
        num_devices=None,
        cache_mb=128,
        model_dir=model_dir,
    )


def _earlier(environment: Environment, settings: Settings) -> tuple[Path | None, Sides | None]:
    """The weights in the channel `model`, and their anchors if they are the small network's.

    Raises UserError unless they are of the same network and classes.
    """
    if "model" not in environment.channels:
        return None, None
    path = unpack(environment.channels["model"], BEST)
    config = json.loads((path.parent / CONFIG).read_text(encoding="utf-8"))
    for name, was, now in (
        ("base_network", config["network"], settings.base_network),
        ("num_classes", len(config["classes"]), settings.num_classes),
    ):
        if was != now:
            raise UserError(f"channel model: {name} of the earlier job was {was}, now it is {now}: it must be the same")
    return path, config["anchors"]


def _announce(data: Data, settings: Settings, frozen: int) -> None:
    found, said = len(data.training), settings.num_training_samples
    if found != said:
        logging.warning(
            "num_training_samples is %d, but channel train has %d pictures. On AWS lr_scheduler_step then counts other "
            "epochs than those that are trained, here it does not. Set num_training_samples to %d",
            said, found, found,
        )  # fmt: skip
    missing = sorted(
        set(range(settings.num_classes)) - {b["category_id"] for r in data.training for b in r["annotations"]}
    )
    if missing:
        logging.warning("no picture of channel train shows class id %s", ", ".join(map(str, missing)))
    if settings.kv_store == "dist_async":
        logging.warning("kv_store dist_async: the local equivalent keeps its hosts in step, as dist_sync")
    if frozen:
        logging.info("freeze_layer_pattern: %d tensors of the base network stay as they are", frozen)
