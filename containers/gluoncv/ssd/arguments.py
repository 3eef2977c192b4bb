"""The training program's arguments; SageMaker's hyperparameters become the same command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from detection.argument_types import Parser, crop, names, positive, share
from sagemaker_contract import Environment, UserError
from sagemaker_contract.hyperparameters import to_argv

from .names import NETWORKS, SMALL

# Where the two kinds of network differ: trained from scratch in minutes, or fine-tuned at the zoo's size.
SMALL_DEFAULTS = {
    "lr": 0.002,
    "optimizer": "adam",
    "weight_decay": 0.0001,
    "shortest_side": 400,
    "longest_side": 640,
    "crop": "fitted",
}
ZOO_DEFAULTS = {
    "lr": 0.001,
    "optimizer": "sgd",
    "weight_decay": 0.0005,
    "shortest_side": 0,
    "longest_side": 0,
    "crop": 0,
}
CHANNELS = {"training": "train", "annotation": "labels"}  # with the names that the first version of this lab had


def parse(environment: Environment, extra: Sequence[str] = ()) -> argparse.Namespace:
    """The job's hyperparameters, then the command line `extra`, which wins. Raises UserError."""
    arguments = _parser().parse_args([*to_argv(environment.hyperparameters), *extra])
    for split in ("training", "validation", "annotation", "model"):
        name = f"{split}_channel"
        found = environment.channels.get(split) or environment.channels.get(CHANNELS.get(split, ""))
        setattr(arguments, name, getattr(arguments, name) or found)
    arguments.model_dir = arguments.model_dir or environment.model_dir
    for name, value in (SMALL_DEFAULTS if arguments.network == SMALL else ZOO_DEFAULTS).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    if arguments.weights.startswith(("http://", "https://")) and not arguments.weights_sha256:
        raise UserError("weights by URL need --weights-sha256")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="train", allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--task", choices=("detection",), default="detection")
    _model(parser.add_argument_group("model"))
    _schedule(parser.add_argument_group("schedule"))
    _pictures(parser.add_argument_group("pictures and augmentation"))
    _evaluation(parser.add_argument_group("evaluation and serving"))
    _data(parser.add_argument_group("data"))
    _machines(parser.add_argument_group("machines"))
    return parser


def _model(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--network", "--base-network", choices=NETWORKS, default=SMALL, help=f"{SMALL} or one of GluonCV's")
    add("--weights", default="", help="empty: from scratch; zoo; a URL; a .params file; model: the channel")
    add("--weights-sha256", default="", help="of the file at the URL")
    add("--anchors-per-level", type=positive(int), default=3, help=SMALL)
    add("--anchor-iou", type=share(1), default=0.4, help="of an anchor that answers for a box")
    add("--hard-negatives", type=positive(int), default=3, help="at least so many for each picture")


def _schedule(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--epochs", type=positive(int), default=30)
    add("--batch-size", type=positive(int), default=16, help="across all machines")
    add("--optimizer", choices=("adam", "sgd"), help="default adam, with a network of the zoo sgd")
    add("--lr", "--learning-rate", type=positive(float), help="at its highest; default 0.002, with the zoo's 0.001")
    add("--momentum", type=share(1), default=0.9, help="sgd")
    add("--weight-decay", "--wd", type=share(1), help="default 0.0001, with a network of the zoo 0.0005")
    add("--lr-decay", choices=("cosine", "steps"), default="cosine")
    add("--lr-decay-epochs", type=_epochs, default=None, help="JSON list; steps: where the rate is divided")
    add("--lr-decay-factor", type=share(1), default=0.1, help="steps")
    add("--warm-up", type=share(0.9), default=0.1, help="share of the iterations")
    add("--clip-gradients", type=positive(float), default=10.0, help="largest norm of the gradients")
    add("--seed", type=int, default=0)


def _pictures(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--shortest-side", type=positive(int), help=f"pixels, unless the longest says less; default 400, {SMALL} only")
    add("--longest-side", type=positive(int), help="pixels; default 640, with a network of the zoo its own")
    add("--flip", choices=("none", "horizontal", "vertical", "both"), default="none")
    add("--scale-jitter", type=share(4, lowest=1), default=1.25, help="largest zoom in or out; 1: none")
    add("--crop", type=crop, help="train on squares of so many pixels, 0: on all; default fitted to the boxes, zoo 0")
    add("--colour-jitter", type=share(0.9), default=0.2, help="brightness, contrast, saturation; 0: none")


def _evaluation(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--eval-period", type=int, default=0, help="epochs; 0: about five evaluations")
    add("--early-stop", type=int, default=0, help="stop after so many evaluations without a better AP50; 0: never")
    add("--log-period", type=positive(int), default=20, help="iterations between two [training] lines")
    add("--nms-threshold", type=share(1), default=0.45)
    add("--nms-topk", type=positive(int), default=400)
    add("--detections-per-image", type=positive(int), default=100)
    add("--onnx", choices=("true", "false"), default="true", help="export to ONNX too, and check it")


def _data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--classes", type=names, default=None, help="JSON list; default: the manifests' class maps")
    add("--label-attribute", "--gt-labeling-task", default=None, help="default: the manifest's only one")
    for split in ("training", "validation", "annotation", "model"):
        add(f"--{split}-channel", type=Path, help="folder; default: the job's channel")
    add("--model-dir", type=Path, help="folder; default: the job's")


def _machines(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="auto: GPUs if there are any")
    add("--num-devices", type=positive(int), default=None, help="that share a batch; default: all GPUs, on CPU 1")
    add("--cache-mb", type=int, default=128, help="memory for decoded pictures")
    add("--hosts", type=names, default=None, help="JSON list; default: the job's")
    add("--current-host", default=None)


def _epochs(text: str) -> list[int]:
    given = [int(part) for part in text.strip("[]").split(",")]
    if sorted(set(given)) != given or given[0] < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a rising list of epochs")
    return given
