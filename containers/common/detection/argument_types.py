"""A parser of training programs' arguments, and the kinds of values they take."""

import argparse
import dataclasses
import json
from typing import NoReturn

from sagemaker_contract import Environment, UserError


class Parser(argparse.ArgumentParser):
    """Raises UserError for a mistake, in place of ending the program."""

    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def effective(environment: Environment, arguments: argparse.Namespace) -> Environment:
    """The environment with the hosts that the arguments name, if they do. Raises UserError."""
    hosts = tuple(sorted(arguments.hosts or environment.hosts))
    current = arguments.current_host or environment.current_host
    if current not in hosts:
        raise UserError(f"--current-host {current} is not among the hosts {', '.join(hosts)}")
    return dataclasses.replace(environment, hosts=hosts, current_host=current)


def positive(kind: type):
    """A converter to numbers of `kind` that are finite and above 0."""

    def convert(text: str):
        value = kind(text)
        if not value > 0 or value == float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    convert.__name__ = kind.__name__
    return convert


def share(highest: float, lowest: float = 0):
    """A converter to numbers from `lowest` to `highest`."""
    return _within(float, lowest, highest)


def whole(lowest: int, highest: int):
    """A converter to whole numbers from `lowest` to `highest`."""
    return _within(int, lowest, highest)


def _within(kind: type, lowest: float, highest: float):
    def convert(text: str):
        value = kind(text)
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text} is not within {lowest} to {highest}")
        return value

    convert.__name__ = kind.__name__
    return convert


def crop(text: str) -> int | str:
    """`fitted`, or the side of a square in pixels, 0 for none."""
    if text == "fitted":
        return text
    side = int(text)
    if side and side < 64:
        raise argparse.ArgumentTypeError(f"{text} is not fitted, 0, or 64 or more")
    return side


def names(text: str) -> list[str]:
    """A JSON list of at least one string."""
    given = json.loads(text)
    if not isinstance(given, list) or not given or not all(isinstance(name, str) for name in given):
        raise ValueError
    return given


names.__name__ = "JSON list of strings"
