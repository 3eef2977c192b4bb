"""`track`: the program of processing jobs that follow a target through a video."""

import argparse
import sys
from pathlib import Path

from sagemaker_contract import Environment, StopRequest, run


def main(environment: Environment, stop: StopRequest) -> None:
    """Check the arguments before the frameworks are imported, then track."""
    from ssd import compat

    parsed = parse(environment, sys.argv[1:])
    compat.prepare()
    from siamrpn import tracking

    tracking.run(parsed, stop)


def parse(environment: Environment, argv: list[str]) -> argparse.Namespace:
    """The job's ContainerArguments; folders are by default those of its inputs and its output. Raises UserError."""
    from detection.argument_types import Parser

    processing = environment.base / "processing"
    parser = Parser(prog="track", allow_abbrev=False)
    add = parser.add_argument
    add("--video", type=Path, default=processing / "input/video", help="a file, or a folder with one video")
    add("--model", type=Path, default=processing / "input/model", help="folder with a tracking job's model.tar.gz")
    add("--output", type=Path, default=processing / "output", help="folder for track.csv, track.mp4 and track.json")
    add("--box", type=_box, help="left,top,width,height in pixels of the first frame; default: <video>.csv's first row")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="auto: a GPU if there is one")
    return parser.parse_args(argv)


def _box(text: str) -> list[float]:
    values = [float(part) for part in text.strip("[]").split(",")]
    if len(values) != 4 or not all(abs(value) < float("inf") for value in values) or min(values[2:]) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not left,top,width,height with both sides above 0")
    return values


if __name__ == "__main__":
    sys.exit(run(main, processing=True))
