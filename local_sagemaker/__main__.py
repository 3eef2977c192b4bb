"""Command line: python -m local_sagemaker {up,down,status,build}."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from local_sagemaker import ServerError, lifecycle
from local_sagemaker.images import ImageError, build


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_sagemaker", description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path(".labs/sagemaker"), help="default: %(default)s")
    parser.add_argument("--images", type=Path, default=Path("containers/images.toml"), help="default: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the server and print the variables that lead clients to it")
    commands.add_parser("down", help="stop the server, its jobs and its endpoints")
    commands.add_parser("status", help="print what runs, as JSON")
    commands.add_parser("build", help="build an image's environment").add_argument("image")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0, or 2 with one line on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except (ServerError, ImageError) as error:
        print(f"local_sagemaker: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "up":
        connection = lifecycle.start(arguments.workspace, arguments.images)
        for name, value in connection.environ().items():
            print(f"export {name}={value}")
    elif arguments.command == "down":
        print("stopped" if lifecycle.stop(arguments.workspace) else "no server ran")
    elif arguments.command == "status":
        print(json.dumps(lifecycle.status(arguments.workspace), indent=1))
    else:
        print(build(arguments.images, arguments.image))
    return 0


if __name__ == "__main__":
    sys.exit(main())
