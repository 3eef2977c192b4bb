"""`labs images`: the environments that stand in for container images on this machine."""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from lab_utils import paths
from lab_utils.errors import ConfigError


def add_commands(commands: Any) -> None:
    parser = commands.add_parser("images", help="list or build the images' environments", description=__doc__)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    actions.add_parser("list", help="show the images").set_defaults(run=show)
    build = actions.add_parser("build", help="build the environments of images")
    build.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    build.set_defaults(run=make)


def show(_: argparse.Namespace) -> int:
    """Print name and Python version of every image."""
    for name, image in registry().items():
        print(f"{name:<20} Python {image['python']}")
    return 0


def make(options: argparse.Namespace) -> int:
    """Build the environments that are not there yet; print their Pythons."""
    known = registry()
    for name in options.names:
        if name not in known:
            raise ConfigError(f"unknown image {name!r}: expected one of {', '.join(known)}")
    from local_sagemaker import images

    for name in options.names or known:
        print(images.build(_file(), name, lambda line: print(line, file=sys.stderr)))
    return 0


def registry() -> dict[str, dict[str, Any]]:
    """The `[images.*]` tables of `containers/images.toml`."""
    with _file().open("rb") as file:
        return tomllib.load(file)["images"]


def _file() -> Path:
    return paths.project() / "containers" / "images.toml"
