"""The hyperparameters of SageMaker's built-in object detection: names, ranges and defaults.

Source: "Object Detection Hyperparameters" in SageMaker's documentation. One value is ours: base_network `small`, a
network for a processor, which AWS does not have.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sagemaker_contract import UserError
from sagemaker_contract.hyperparameters import RESERVED, decoded

SMALL = "small"
BASE_NETWORKS = ("vgg-16", "resnet-50", SMALL)
OPTIMIZERS = ("sgd", "adam", "rmsprop", "adadelta")
_TRUE, _FALSE = ("True", "true", "1"), ("False", "false", "0")


@dataclass(frozen=True)
class Settings:
    """A job's hyperparameters, checked; a field without a default is required."""

    num_classes: int
    num_training_samples: int
    base_network: str = "vgg-16"
    early_stopping: bool = False
    early_stopping_min_epochs: int = 10
    early_stopping_patience: int = 5
    early_stopping_tolerance: float = 0.0
    image_shape: int = 300
    epochs: int = 30
    freeze_layer_pattern: str = ""
    kv_store: str = "dist_sync"
    label_width: int = 350
    learning_rate: float = 0.001
    lr_scheduler_factor: float = 0.1
    lr_scheduler_step: tuple[int, ...] = ()
    mini_batch_size: int = 32
    momentum: float = 0.9
    nms_threshold: float = 0.45
    optimizer: str = "sgd"
    overlap_threshold: float = 0.5
    use_pretrained_model: bool | None = None  # not said: 1, where the network has published weights
    weight_decay: float = 0.0005


class _Refused(ValueError):
    """Says what was expected."""


def _integer(lowest: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not re.fullmatch(r"\d+", text) or int(text) < lowest:
            raise _Refused(f"an integer of at least {lowest}")
        return int(text)

    return convert


def _number(lowest: float, highest: float, *, above: bool = False) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not (lowest < value if above else lowest <= value) or not value <= highest:
            raise _Refused(
                f"a number {'above' if above else 'from'} {lowest:g} {'and up ' if above else ''}to {highest:g}"
            )
        return value

    return convert


def _choice(*known: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in known:
            raise _Refused(f"one of {', '.join(known)}")
        return text

    return convert


def _flag(text: str) -> bool:
    if text not in _TRUE + _FALSE:
        raise _Refused("True or False")
    return text in _TRUE


def _pretrained(text: str) -> bool:
    if text not in ("0", "1"):
        raise _Refused("0 or 1")
    return text == "1"


def _epochs(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"(\d+( *, *\d+)*)?", text.strip()):
        raise _Refused("epochs separated by commas, such as 10,20")
    steps = tuple(int(part) for part in text.split(",") if part.strip())
    if any(a >= b for a, b in pairwise((0, *steps))):
        raise _Refused("epochs from 1 in rising order, such as 10,20")
    return steps


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise _Refused(f"a regular expression ({error})") from error
    return text


CONVERTERS: Mapping[str, Callable[[str], Any]] = {
    "num_classes": _integer(1),
    "num_training_samples": _integer(1),
    "base_network": _choice(*BASE_NETWORKS),
    "early_stopping": _flag,
    "early_stopping_min_epochs": _integer(0),
    "early_stopping_patience": _integer(1),
    "early_stopping_tolerance": _number(0, 1),
    "image_shape": _integer(300),
    "epochs": _integer(1),
    "freeze_layer_pattern": _pattern,
    "kv_store": _choice("dist_sync", "dist_async"),
    "label_width": _integer(7),
    "learning_rate": _number(0, 1, above=True),
    "lr_scheduler_factor": _number(0, 1, above=True),
    "lr_scheduler_step": _epochs,
    "mini_batch_size": _integer(1),
    "momentum": _number(0, 1),
    "nms_threshold": _number(0, 1),
    "optimizer": _choice(*OPTIMIZERS),
    "overlap_threshold": _number(0, 1),
    "use_pretrained_model": _pretrained,
    "weight_decay": _number(0, 1),
}


def parse(texts: Mapping[str, str]) -> Settings:
    """The settings of a job's hyperparameters, whose values are strings. Raises UserError for the first mistake."""
    given = {name: decoded(text) for name, text in texts.items() if not name.startswith(RESERVED)}
    for name in given:
        if name not in CONVERTERS:
            near = difflib.get_close_matches(name, CONVERTERS, n=1)
            raise UserError(f"unknown hyperparameter {name!r}" + (f": do you mean {near[0]}?" if near else _known()))
    for name in ("num_classes", "num_training_samples"):
        if name not in given:
            raise UserError(f"hyperparameter {name} is required")
    settings = Settings(**{name: _converted(name, text) for name, text in given.items()})
    if settings.base_network == SMALL and settings.use_pretrained_model:
        raise UserError(f"use_pretrained_model: 1, expected 0: base_network {SMALL} has no published weights")
    return settings


def _converted(name: str, text: str) -> Any:
    try:
        return CONVERTERS[name](text)
    except _Refused as refused:
        raise UserError(f"hyperparameter {name}: {text!r}, expected {refused}") from refused


def _known() -> str:
    return f"; known are {', '.join(CONVERTERS)}"
