"""The training program's arguments; SageMaker's hyperparameters become the same command line."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detection.argument_types import Parser, names, positive, share
from sagemaker_contract import Environment, UserError
from sagemaker_contract.hyperparameters import to_argv

from . import families
from .names import SMALL

Size = tuple[int, int]
# What the lab's first version and the courses before it called them.
CHANNELS = {"training": "train", "validation": "val", "model": "checkpoint"}


def parse(environment: Environment, extra: Sequence[str] = ()) -> argparse.Namespace:
    """The job's hyperparameters, then the command line `extra`, which wins. Raises UserError."""
    arguments = _parser().parse_args([*to_argv(environment.hyperparameters), *extra])
    for split in ("training", "validation", "annotation", "model"):
        name = f"{split}_channel"
        found = environment.channels.get(split) or environment.channels.get(CHANNELS.get(split, ""))
        setattr(arguments, name, getattr(arguments, name) or found)
    if arguments.training_channel is None:
        raise UserError("the job has no channel 'training'")
    arguments.model_dir = environment.model_dir  # the model; --model-dir says where checkpoints and events go
    if arguments.weights.startswith(("http://", "https://")) and not arguments.weights_sha256:
        raise UserError("weights by URL need --weights-sha256")
    for name in ("model", "window"):
        if arguments.pipeline_config and getattr(arguments, name):
            raise UserError(f"--{name} and --pipeline-config exclude each other")
    arguments.model = arguments.model or SMALL
    family = families.ALL[arguments.model]
    sides = np.atleast_1d(arguments.image_size or family.side)
    if (sides < family.least).any() or (sides % family.multiple).any():
        steps = f", in steps of {family.multiple}" if family.multiple > 1 else ""
        raise UserError(f"--image-size: {arguments.model} takes sides of {family.least} pixels or more{steps}")
    arguments.window = arguments.window or (0.5 if arguments.model == SMALL and not arguments.pipeline_config else 1.0)
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="train", allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    _model(parser.add_argument_group("model"))
    _schedule(parser.add_argument_group("schedule"))
    _evaluation(parser.add_argument_group("evaluation"))
    _export(parser.add_argument_group("export"))
    _data(parser.add_argument_group("data and machines"))
    return parser


def _model(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model", choices=tuple(families.ALL), help=f"family, default {SMALL}")
    add("--pipeline-config", default="", help="your own, in place of a family: a file of the training channel")
    add("--override", default="", help="text of a pipeline.config that has the last word, for any of its fields")
    add("--image-size", type=size, help="pixels: longest side, or WIDTHxHEIGHT; default: the family's")
    add("--weights", default="", help="empty: from scratch; URL of a zoo archive; its folder; model: the channel")
    add("--weights-sha256", default="", help="of the archive at the URL")
    add("--anchors-per-level", type=positive(int), default=4, help=SMALL)


def _schedule(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--num-steps", "--num-train-steps", type=positive(int), help="default 400, or what --pipeline-config says")
    add("--batch-size", type=positive(int), help="across all machines; default 8, or as --pipeline-config")
    add("--lr", "--learning-rate", type=positive(float), help="at its highest; default: the zoo's for this batch size")
    add("--warm-up", type=share(0.9), default=0.1, help="share of the steps")
    add("--flip", choices=("none", "horizontal", "vertical", "both"), default="none")
    add(
        "--window",
        type=share(1, lowest=0.25),
        help=f"share of a picture's sides that training sees; {SMALL} 0.5, else 1",
    )
    add("--colour-jitter", type=share(0.9), default=0.2, help="brightness, contrast, saturation; 0: none")
    add("--seed", type=int, default=0)


def _evaluation(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--eval-period", type=count, default=0, help="steps; 0: about five evaluations")
    add("--early-stop", type=count, default=0, help="stop after so many evaluations without a better AP50; 0: never")
    add("--log-period", type=positive(int), default=20, help="steps between two [training] lines")
    add("--sample-1-of-n-eval-examples", type=positive(int), default=1, help="evaluate on every n-th picture")
    add("--model-dir", dest="work_dir", type=_folder, help="for checkpoints and events; default: CheckpointConfig's")


def _export(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--quantize", type=switch, default=True, help="TFLite files too: float, fp16 and int8")
    add("--inference-type", choices=("FLOAT", "QUANTIZED_UINT8"), default="QUANTIZED_UINT8", help="int8 file's input")
    add("--representative", type=positive(int), default=100, help="pictures that int8's ranges are measured on")
    add("--onnx", type=switch, default=True, help="ONNX too, and check it")


def _data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--classes", type=names, default=None, help="JSON list; default: the manifests' class maps")
    add("--label-attribute", default=None, help="default: the manifest's only one")
    for split in ("training", "validation", "annotation", "model"):
        add(f"--{split}-channel", type=Path, help="folder; default: the job's channel")
    add("--hosts", type=names, default=None, help="JSON list; default: the job's")
    add("--current-host", default=None, help="default: the job's")


def size(text: str) -> int | Size:
    """`320` or `512x320` (width x height) in pixels."""
    if not re.fullmatch(r"\d+(x\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text} is neither a number of pixels nor WIDTHxHEIGHT")
    sides = tuple(int(side) for side in text.split("x"))
    return sides if len(sides) == 2 else sides[0]


def switch(text: str) -> bool:
    """`true` or `false`, in any case."""
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text} is neither true nor false")
    return text.lower() == "true"


def count(text: str) -> int:
    """A whole number of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


count.__name__ = "int"


def _folder(text: str) -> Path:
    if "://" in text:
        raise argparse.ArgumentTypeError(
            f"{text} is not a folder: give the job a CheckpointConfig with this S3Uri, and SageMaker copies checkpoints"
            " and events there while the job runs"
        )
    return Path(text)
