"""`labs images`: the environments that stand in for container images on this machine."""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from lab_utils import paths
from lab_utils.cli.embedded import told
from lab_utils.cli.tables import size, table
from lab_utils.errors import ConfigError


def add_commands(commands: Any) -> None:
    parser = commands.add_parser("images", help="list, build or clean the images' environments", description=__doc__)
    parser.set_defaults(run=show)
    actions = parser.add_subparsers(title="actions (default: list)", metavar="ACTION")
    actions.add_parser("list", help="show the images, whether they are built, size and folder").set_defaults(run=show)
    build = actions.add_parser("build", help="build the environments of images")
    build.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    build.set_defaults(run=make)
    clean = actions.add_parser(
        "clean",
        help="delete environments that no image refers to any more",
        description="Delete environments that no image of containers/images.toml refers to any more, such as those "
        "of older requirements; other clones of this project share them. One that a program runs in stays. "
        "Nothing is asked.",
    )
    clean.add_argument("--all", action="store_true", help="delete those in use by images too; they are built again")
    clean.add_argument("--dry-run", action="store_true", help="only print what would be deleted")
    clean.set_defaults(run=clear)


def show(_: argparse.Namespace) -> int:
    """Print name, Python version, state, size and folder of every image."""
    from local_sagemaker import images

    rows = [("image", "Python", "built", "size", "folder")]
    with told():
        known = images.Registry(_file()).images()
    for name, image in known.items():
        held = size(images.measure(image.folder)) if image.built else "–"
        rows.append((name, image.python, "yes" if image.built else "no", held, str(image.folder)))
    print(table(rows))
    return 0


def make(options: argparse.Namespace) -> int:
    """Build the environments that are not there yet; print their Pythons."""
    known = registry()
    for name in options.names:
        if name not in known:
            raise ConfigError(f"unknown image {name!r}: expected one of {', '.join(known)}")
    from local_sagemaker import images

    for name in options.names or known:
        with told():
            print(images.build(_file(), name, lambda line: print(line, file=sys.stderr)))
    return 0


def clear(options: argparse.Namespace) -> int:
    """Delete environments; print each, and what it frees."""
    from local_sagemaker import images

    with told():
        found = images.unreferenced(_file(), all_=options.all)
    freed = shared = 0
    for environment in found:
        if environment.used or not (options.dry_run or images.remove(environment)):
            print(f"kept, in use: {environment.folder}")
            continue
        print(f"{'would delete' if options.dry_run else 'deleted'} {environment.folder} ({size(environment.size)})")
        freed += environment.own
        shared += environment.size - environment.own
    print(f"{'would free' if options.dry_run else 'freed'} {size(freed)}")
    if shared:
        print(f"another {size(shared)} is shared with other environments or uv's cache (uv cache clean)")
    return 0


def registry() -> dict[str, dict[str, Any]]:
    """The `[images.*]` tables of `containers/images.toml`."""
    with _file().open("rb") as file:
        return tomllib.load(file)["images"]


def _file() -> Path:
    return paths.project() / "containers" / "images.toml"
