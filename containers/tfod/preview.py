"""`preview`: the program of processing jobs that show what training would see of its pictures."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from sagemaker_contract import Environment, StopRequest, run


def main(environment: Environment, stop: StopRequest) -> None:
    """Check the arguments before the frameworks are imported, then augment."""
    from pipeline import compat

    mine, training = parse(environment, sys.argv[1:])
    compat.prepare()
    from pipeline import preview

    preview.write(training, mine.output, mine.pictures, mine.samples)


def parse(environment: Environment, argv: list[str]) -> tuple[argparse.Namespace, argparse.Namespace]:
    """This program's arguments and, of what is left, those of `train`; the job's inputs are its channels.

    Raises UserError.
    """
    from detection.argument_types import Parser, positive
    from pipeline import arguments

    processing = environment.base / "processing"
    parser = Parser(prog="preview", allow_abbrev=False)
    add = parser.add_argument
    add("--pictures", type=positive(int), default=4, help="pictures of the training channel")
    add("--samples", type=positive(int), default=4, help="how often each is augmented")
    add("--output", type=Path, default=processing / "output", help="folder for preview.json and pictures")
    mine, others = parser.parse_known_args(argv)
    channels = {folder.name: folder for folder in (processing / "input").glob("*")}
    return mine, arguments.parse(replace(environment, hyperparameters={}, channels=channels), others)


if __name__ == "__main__":
    sys.exit(run(main, processing=True))
