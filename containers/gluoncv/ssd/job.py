"""GluonCV's training job: from the manifests to a plan."""

import argparse
from collections.abc import Callable, Mapping

from detection import datasets, metric_lines
from detection.argument_types import effective
from detection.history import History
from sagemaker_contract import Environment, StopRequest

from . import checkpoints, hosts, networks, plan, weights
from .names import SMALL, STRIDES
from .pictures import LetterBox


class MetricLines:
    """The log's lines that SageMaker reads the metrics from."""

    def training(self, iteration: int, values: Mapping[str, float]) -> None:
        print(metric_lines.line("training", iteration, values), flush=True)

    def validation(self, iteration: int, values: Mapping[str, float]) -> None:
        numbers = {name: value for name, value in values.items() if "/" not in name and name != "iteration"}
        print(metric_lines.line("validation", iteration, numbers), flush=True)


def run(arguments: argparse.Namespace, environment: Environment, stop: StopRequest) -> None:
    """Train as the arguments say."""
    environment = effective(environment, arguments)
    data = datasets.load(arguments)
    group = hosts.join(environment)
    box = letter_box(arguments)
    path = weights.resolve(arguments)
    sides, fitted = weights.earlier_sides(path, arguments), None
    if arguments.network == SMALL and sides is None:
        sides, fitted = plan.fitted_sides(data, box, arguments.anchors_per_level, arguments.seed)
    network = networks.build(arguments.network, data.classes, sides, box.longest, arguments.seed)
    taken = checkpoints.load_weights(network, path) if path else None
    if group.rank == 0:
        plan.announce(data, fitted)
        if taken:
            print(f"weights: {taken[0]} tensors of {path}; new: {', '.join(taken[1]) or 'none'}")
    ended = _patience(arguments.early_stop)
    made = plan.Plan(arguments, data, box, network, sides, fitted, MetricLines(), History(), ended)
    plan.carry_out(made, environment, group, stop)


def letter_box(arguments: argparse.Namespace) -> LetterBox:
    """How pictures become inputs: padded to the coarsest stride, or to the zoo's square."""
    if arguments.network == SMALL:
        return LetterBox(arguments.shortest_side, arguments.longest_side, STRIDES[-1])
    side = arguments.longest_side or networks.base_size(arguments.network)
    return LetterBox(side, side, side)


def _patience(evaluations: int) -> Callable[[History], str]:
    why = f"no better AP50 in {evaluations} evaluations"
    return lambda history: why if history.stalled(evaluations) else ""
