"""The command `labs`."""

import argparse
import os
import sys
from collections.abc import Sequence

from lab_utils.cli import data, images, labs, logs, server, track
from lab_utils.errors import LabError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0: all well, 1: a lab failed, 2: a mistake in the command, 130: Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except LabError as error:
        print(f"labs: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `labs run | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("labs: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labs", description="Object detection and tracking labs for Amazon SageMaker."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (labs, track, server, logs, images, data):
        module.add_commands(commands)
    return parser
