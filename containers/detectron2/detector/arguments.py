"""The training program's arguments; SageMaker's hyperparameters become the same command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from detection.argument_types import Parser, crop, names, positive, share
from sagemaker_contract import Environment, UserError
from sagemaker_contract.hyperparameters import to_argv

from . import zoo

# Where the two kinds of backbone differ: trained from scratch in minutes, or fine-tuned at the zoo's size.
SMALL_DEFAULTS = {"lr": 0.003, "shortest_side": 400, "longest_side": 640, "crop": "fitted"}
ZOO_DEFAULTS = {"lr": 0.0002, "shortest_side": 800, "longest_side": 1333, "crop": 0}


def parse(environment: Environment, extra: Sequence[str] = ()) -> argparse.Namespace:
    """The job's hyperparameters, then the command line `extra`, which wins. Raises UserError."""
    parser = _parser()
    arguments = parser.parse_args([*to_argv(environment.hyperparameters), *extra])
    for split in ("training", "validation", "test", "annotation", "model"):
        name = f"{split}_channel"
        setattr(arguments, name, getattr(arguments, name) or environment.channels.get(split))
    arguments.model_dir = arguments.model_dir or environment.model_dir
    for name, value in (SMALL_DEFAULTS if arguments.backbone == zoo.SMALL else ZOO_DEFAULTS).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    zoo.config_name(arguments.model_type, arguments.backbone, arguments.zoo_schedule)
    if arguments.weights == "zoo" and arguments.backbone == zoo.SMALL:
        raise UserError(f"the zoo has no weights for {zoo.SMALL}: leave --weights empty to train from scratch")
    if arguments.weights.startswith(("http://", "https://")) and not arguments.weights_sha256:
        raise UserError("weights by URL need --weights-sha256")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="train", allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    _model(parser.add_argument_group("model"))
    _schedule(parser.add_argument_group("schedule"))
    _losses(parser.add_argument_group("losses and sampling"))
    _pictures(parser.add_argument_group("pictures and augmentation"))
    _evaluation(parser.add_argument_group("evaluation and serving"))
    _data(parser.add_argument_group("data"))
    _machines(parser.add_argument_group("machines"))
    return parser


def _model(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model-type", choices=zoo.MODEL_TYPES, default="retinanet")
    add("--backbone", default=zoo.SMALL, help=f"{zoo.SMALL} or a backbone of the zoo, such as R_50_FPN")
    add("--zoo-schedule", "--lr-schedule", type=_zoo_schedule, default="3x", help="the zoo's 1x or 3x training")
    add("--weights", default="", help="empty: from scratch; zoo; a URL; a file; model: the channel of that name")
    add("--weights-sha256", default="", help="of the file at the URL")
    add("--anchors", choices=("fitted", "zoo"), default="fitted", help="fitted to the training boxes, or the zoo's")
    add("--anchors-per-level", type=positive(int), default=3)


def _schedule(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--num-iter", type=positive(int), default=700)
    add("--batch-size", type=positive(int), default=16, help="across all machines")
    add("--optimizer", choices=("adamw", "sgd"), default="adamw")
    add("--lr", type=positive(float), help="at its highest; default 0.003, with a backbone of the zoo 0.0002")
    add("--weight-decay", type=share(10), default=0.01)
    add("--lr-decay", choices=("cosine", "steps"), default="cosine")
    add("--warm-up", type=share(0.9), default=0.1, help="share of the iterations")
    add("--clip-gradients", type=positive(float), default=1.0, help="largest norm of the gradients")
    add("--seed", type=int, default=0)


def _losses(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--reg-loss-type", choices=("smooth_l1", "giou"), default="smooth_l1")
    add("--focal-loss-gamma", type=positive(float), default=2.0, help="retinanet")
    add("--focal-loss-alpha", type=share(1), default=0.25, help="retinanet")
    add(
        "--anchors-per-box",
        type=positive(int),
        default=9,
        help="that answer for it at least, retinanet; 1: the zoo's rule",
    )
    add("--rpn-box-loss-weight", "--bbox-reg-loss-weight", type=positive(float), default=1.0, help="faster_rcnn")
    add("--rpn-positive-fraction", "--bbox-rpn-pos-fraction", type=share(1), default=0.5, help="faster_rcnn")
    add("--roi-positive-fraction", "--bbox-head-pos-fraction", type=share(1), default=0.25, help="faster_rcnn")
    add("--roi-batch-size", "--num-rpn", type=positive(int), default=128, help="boxes a picture, faster_rcnn")


def _pictures(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--shortest-side", type=positive(int), help="pixels, unless the longest side says less; default 400, zoo 800")
    add("--longest-side", type=positive(int), help="pixels; default 640, zoo 1333")
    add("--flip", choices=("none", "horizontal", "vertical", "both"), default="none")
    add("--scale-jitter", type=share(4, lowest=1), default=1.25, help="largest zoom in or out; 1: none")
    add("--crop", type=crop, help="train on squares of so many pixels, 0: on all; default fitted to the boxes, zoo 0")
    add("--colour-jitter", type=share(0.9), default=0.2, help="brightness, contrast, saturation; 0: none")


def _evaluation(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--evaluation-type", choices=("coco", "none"), default="coco", help="AP on the validation channel")
    add("--eval-period", type=int, default=0, help="iterations; 0: about five evaluations")
    add("--early-stop", type=int, default=0, help="stop after so many evaluations without a better AP50; 0: never")
    add("--log-period", type=positive(int), default=20, help="iterations between two [training] lines")
    add("--detections-per-image", "--det-per-img", type=positive(int), default=100)
    add("--nms-threshold", "--nms-thr", type=share(1), default=0.5)
    add("--score-threshold", "--pred-thr", type=share(1), default=0.05, help="lowest score an endpoint answers")


def _data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--classes", type=names, default=None, help="JSON list; default: the manifests' class maps")
    add("--dataset-name", default="signals")
    add("--label-attribute", "--label-name", default=None, help="default: the manifest's only one")
    for split in ("training", "validation", "test", "annotation", "model"):
        add(f"--{split}-channel", type=Path, help="folder; default: the job's channel")
    add("--model-dir", type=Path, help="folder; default: the job's")


def _machines(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU if there is one")
    add("--num-gpus", type=int, default=None, help="default: all of the machine's")
    add("--num-workers", type=int, default=None, help="data loading processes; default: 0 on CPU, 4 on GPU")
    add("--cache-mb", type=int, default=64, help="memory for decoded pictures")
    add("--hosts", type=names, default=None, help="JSON list; default: the job's")
    add("--current-host", default=None)


def _zoo_schedule(text: str) -> str:
    times = text.rstrip("x")
    if times not in ("1", "3"):
        raise argparse.ArgumentTypeError(f"{text} is not 1 or 3")
    return f"{times}x"
