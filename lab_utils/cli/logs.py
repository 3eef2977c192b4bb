"""`labs logs`: what the programs of a job or an endpoint have printed."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab_utils import paths
from lab_utils.cli.tables import table
from lab_utils.errors import ConfigError

_KINDS = ("training", "tuning", "transform", "processing", "pipeline", "endpoint")
_PAUSE = 0.3  # seconds


def add_commands(commands: Any) -> None:
    parser = commands.add_parser(
        "logs",
        help="print the log of a job or an endpoint",
        description="Print what the programs of a job or an endpoint of the embedded SageMaker have printed. "
        "A tuning job and a pipeline execution have no log: the jobs that they started are listed.",
    )
    parser.add_argument("name", metavar="NAME", help="as `labs status` shows it")
    parser.add_argument("--kind", choices=_KINDS, help="where jobs of several kinds have the same name")
    parser.add_argument("-f", "--follow", action="store_true", help="print what comes, until the job ends or Ctrl-C")
    parser.set_defaults(run=show)


def show(options: argparse.Namespace) -> int:
    """Print the lines there are; those of several containers with the container's name in front."""
    from local_sagemaker import overview

    workspace = paths.workspace()
    try:
        thing = overview.find(workspace, options.name, options.kind)
    except overview.UnknownNameError as error:
        raise ConfigError(str(error)) from error
    if thing.kind in ("tuning", "pipeline"):
        _show_children(overview.children(workspace, thing), thing.name)
        return 0
    for line in lines(workspace, thing, options.follow):
        print(line, flush=True)
    return 0


def _show_children(children: list[Any], name: str) -> None:
    if not children:
        print(f"{name} has started no jobs")
        return
    print(table([("kind", "name", "status"), *((child.kind, child.name, child.status) for child in children)]))


def lines(workspace: Path, thing: Any, follow: bool) -> Iterator[str]:
    """The log's lines; with ``follow`` also those that come, until job, endpoint or server are gone."""
    import local_sagemaker
    from local_sagemaker import overview

    tails: dict[Path, _Tail] = {}
    while True:
        running = follow and local_sagemaker.connection(workspace) is not None
        goes_on = running and overview.goes_on(workspace, thing)
        files = overview.log_files(workspace, thing)
        for path in files:
            tail = tails.setdefault(path, _Tail(path))
            front = f"{path.parent.name}: " if len(files) > 1 else ""
            yield from (front + line for line in tail.read(last=not goes_on))
        if not goes_on:
            return
        time.sleep(_PAUSE)


class _Tail:
    """What was added to a file since the last look, line by line."""

    def __init__(self, path: Path) -> None:
        self._path, self._position, self._rest = path, 0, b""

    def read(self, last: bool) -> list[str]:
        """The new lines; an unfinished one is kept for later, unless this is the ``last`` look."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except OSError:  # deleted meanwhile
            data = b""
        self._position += len(data)
        *done, self._rest = (self._rest + data).split(b"\n")
        if last and self._rest:
            done.append(self._rest)
        return [line.decode("utf-8", "replace") for line in done]
