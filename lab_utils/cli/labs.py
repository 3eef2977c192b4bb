"""`labs list` and `labs run`."""

import argparse
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from lab_utils import paths
from lab_utils.cli.tables import table
from lab_utils.errors import ConfigError
from lab_utils.profiles import PROFILES

_MINUTES = {"smoke": 15.0, "laptop": 60.0, "full": 24 * 60.0}  # time-out of a lab


def add_commands(commands: Any) -> None:
    listing = commands.add_parser("list", help="show the labs", description="Show the labs.")
    _add_folder(listing)
    listing.set_defaults(run=show)
    run = commands.add_parser(
        "run",
        help="run labs and write a report",
        description="Run labs and write a report. What has passed before is not run again while nothing changed.",
    )
    run.add_argument("lab", nargs="*", metavar="LAB", help="number or file name (default: all)")
    run.add_argument("--profile", choices=PROFILES, default="laptop", help="size (default: %(default)s)")
    run.add_argument(
        "--backend", choices=("local", "aws"), default="local", help="where jobs run (default: %(default)s)"
    )
    run.add_argument(
        "-p",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the notebooks, such as dataset=voc:PATH; may be repeated",
    )
    run.add_argument("--fresh", action="store_true", help="also run what has passed before")
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the report (default: build/report)")
    run.add_argument("--timeout", type=_positive, metavar="MIN", help="minutes a lab may take (default: by profile)")
    _add_folder(run)
    run.set_defaults(run=execute)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labs", type=Path, metavar="DIR", help="folder of the notebooks (default: labs)")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError
    return value


def show(options: argparse.Namespace) -> int:
    """Print the table of labs."""
    from lab_utils.runner.notebook import discover

    rows = [("lab", "title", *(f"{name} min" for name in PROFILES), "image")]
    for lab in discover(_folder(options)):
        minutes = lab.about.get("minutes", {})
        times = [str(minutes.get(name, "–")) for name in PROFILES]
        rows.append((lab.number, lab.title, *times, lab.about.get("image") or "–"))
    print(table(rows))
    return 0


def execute(options: argparse.Namespace) -> int:
    """Check everything up front, then run the labs."""
    from lab_utils.runner import notebook, parameters

    labs = notebook.select(notebook.discover(_folder(options)), options.lab)
    given = parameters.typed(labs, parameters.parse(options.parameters), Path.cwd())
    if options.backend == "aws":
        _check_aws()
    runner = _runner()
    plan = runner.Plan(
        labs=labs,
        profile=options.profile,
        backend=options.backend,
        parameters=given,
        project=paths.project(),
        out=(options.out or paths.project() / "build" / "report").resolve(),
        timeout=60 * (options.timeout or _MINUTES[options.profile]),
        fresh=options.fresh,
    )
    results = runner.run(plan)
    print(f"report: {plan.out / 'index.html'}")
    if results[-1].state == "INTERRUPTED":
        return 130
    return 0 if all(result.passed for result in results) else 1


def _folder(options: argparse.Namespace) -> Path:
    return options.labs or paths.project() / "labs"


def _check_aws() -> None:
    import boto3

    from lab_utils.session import check_aws

    check_aws(boto3.Session())


def _runner() -> ModuleType:
    for package in ("papermill", "nbconvert"):
        if find_spec(package) is None:
            raise ConfigError(f"{package} is missing: install it with pip install 'signal-labs[notebook]'")
    from lab_utils.runner import run

    return run
