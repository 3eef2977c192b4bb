"""The arguments of training a tracker; SageMaker's hyperparameters become the same command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from detection.argument_types import Parser, positive, share, whole
from sagemaker_contract import Environment, UserError
from sagemaker_contract.hyperparameters import to_argv

from .names import ALEXNET, NETWORKS, SMALL, Settings

# Where the two networks differ: trained from scratch in minutes, or fine-tuned at the zoo's size. Signals grow from one
# frame to the next as the train nears them: the small network's tracker follows their size faster than GluonCV's.
SMALL_DEFAULTS = {
    "width": 0.25,
    "hidden": 64,
    "lr": 0.001,
    "instance_side": 255,
    "penalty_k": 0.05,
    "size_rate": 0.5,
}
ALEXNET_DEFAULTS = {
    "width": 1.0,
    "hidden": 256,
    "lr": 0.0001,
    "instance_side": Settings.instance,
    "penalty_k": Settings.penalty_k,
    "size_rate": Settings.lr,
}
# On a processor MXNet's gradients can be NaN where a layer's channels are no multiple of 8.
WIDTHS, HIDDEN = (0.25, 0.5, 0.75, 1.0), (16, 32, 64, 128, 256)
CHANNELS = ("training", "validation", "model")


def parse(environment: Environment, extra: Sequence[str] = ()) -> argparse.Namespace:
    """The job's hyperparameters, then the command line `extra`, which wins. Raises UserError."""
    arguments = _parser().parse_args([*to_argv(environment.hyperparameters), *extra])
    for channel in CHANNELS:
        name = f"{channel}_channel"
        setattr(arguments, name, getattr(arguments, name) or environment.channels.get(channel))
    arguments.model_dir = arguments.model_dir or environment.model_dir
    for name, value in (SMALL_DEFAULTS if arguments.network == SMALL else ALEXNET_DEFAULTS).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    _check(arguments, environment)
    return arguments


def settings(arguments: argparse.Namespace) -> Settings:
    """The tracker's constants."""
    return Settings(
        instance=arguments.instance_side,
        penalty_k=arguments.penalty_k,
        window_influence=arguments.window_influence,
        lr=arguments.size_rate,
    )


def _check(arguments: argparse.Namespace, environment: Environment) -> None:
    if len(environment.hosts) > 1:
        raise UserError(f"a tracker is trained on one host, the job has {len(environment.hosts)}")
    if arguments.training_channel is None:
        raise UserError("the job has no channel 'training'")
    if arguments.weights.startswith(("http://", "https://")) and not arguments.weights_sha256:
        raise UserError("weights by URL need --weights-sha256")
    if arguments.network == ALEXNET and (arguments.width, arguments.hidden) != (1.0, 256):
        raise UserError(f"--network {ALEXNET} has width 1 and 256 hidden channels; --network {SMALL} takes others")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="train", allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--task", choices=("tracking",), default="tracking")
    _model(parser.add_argument_group("model"))
    _schedule(parser.add_argument_group("schedule"))
    _pairs(parser.add_argument_group("pairs and augmentation"))
    _tracker(parser.add_argument_group("tracker and evaluation"))
    _data(parser.add_argument_group("data and machine"))
    return parser


def _model(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--network", choices=NETWORKS, default=SMALL, help="small: the same with fewer channels")
    add("--weights", default="", help="empty: from scratch; a URL; a .params file; model: the channel of that name")
    add("--weights-sha256", default="", help="of the file at the URL")
    add("--width", type=float, choices=WIDTHS, help="channels of the body as a share of AlexNet's; default 0.25")
    add("--hidden", type=int, choices=HIDDEN, help="channels of the head; default 64")


def _schedule(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--iterations", type=positive(int), default=400)
    add("--batch-size", type=positive(int), default=16, help="pairs of a target and a square to search")
    add("--lr", "--learning-rate", type=positive(float), help=f"of Adam, at its highest; 0.001, {ALEXNET} 0.0001")
    add("--weight-decay", type=share(1), default=0.0001)
    add("--lr-decay", choices=("cosine", "steps"), default="cosine")
    add("--warm-up", type=share(0.9), default=0.1, help="share of the iterations")
    add("--clip-gradients", type=positive(float), default=10.0, help="largest norm of the gradients")
    add("--box-weight", type=positive(float), default=1.2, help="of the boxes' loss against the scores'")
    add("--seed", type=whole(0, 2**32 - 1), default=0)


def _pairs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--frames-per-track", type=whole(2, 10_000), default=50, help="that are learned from, even over the clip")
    add("--frame-range", type=positive(int), default=100, help="most frames between the two of a pair")
    add("--search-side", type=_search_side, default=255, help="pixels of the searched square; 127 and a multiple of 8")
    add("--shift", type=whole(0, 128), default=32, help="largest shift of the target in it, pixels")
    add("--scale-jitter", type=share(0.5), default=0.18, help="largest relative change of size")
    add("--blur", type=share(1), default=0.1, help="chance")
    add("--colour-jitter", type=share(1), default=1.0, help="chance")
    add("--grey", type=share(1), default=0.0, help="chance")
    add("--flip", type=share(1), default=0.5, help="chance, of both squares")
    add("--negatives", type=share(0.9), default=0.3, help="share of pairs whose square does not show the target")


def _tracker(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--instance-side", type=_search_side, help=f"pixels of the square searched in tracking; 255, {ALEXNET} 287")
    add("--penalty-k", type=share(1), help=f"against changes of size and shape; 0.05, {ALEXNET} 0.16")
    add("--window-influence", type=share(1), default=Settings.window_influence, help="against motion")
    add("--size-rate", type=share(1), help=f"at which the box's size follows; 0.5, {ALEXNET} 0.3")
    add("--eval-period", type=whole(0, 10**9), default=0, help="iterations; 0: about five evaluations")
    add("--early-stop", type=whole(0, 10**9), default=0, help="stop after so many without a better AUC; 0: never")
    add("--log-period", type=positive(int), default=20, help="iterations between two [training] lines")


def _data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for channel in CHANNELS:
        add(f"--{channel}-channel", type=Path, help="folder; default: the job's channel")
    add("--model-dir", type=Path, help="folder; default: the job's")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="auto: a GPU if there is one")


def _search_side(text: str) -> int:
    side = int(text)
    if not 159 <= side <= 511 or (side - Settings.exemplar) % Settings.stride:
        raise argparse.ArgumentTypeError(f"{text} is not 127 and a multiple of 8, within 159 to 511")
    return side


_search_side.__name__ = "int"
