"""`labs up`, `labs down` and `labs status`: the embedded SageMaker."""

import argparse
import json
import textwrap
from typing import Any

from lab_utils import paths
from lab_utils.cli.embedded import told
from lab_utils.cli.tables import duration, table

_SHOWN = 20
_REASON = 60  # characters


def add_commands(commands: Any) -> None:
    for name, run, summary in (
        ("up", up, "start the embedded SageMaker"),
        ("down", down, "stop the embedded SageMaker and its jobs"),
    ):
        parser = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        parser.set_defaults(run=run)
    parser = commands.add_parser(
        "status",
        help="show the embedded SageMaker, its jobs and its endpoints",
        description="Show whether the embedded SageMaker runs, its jobs of every kind and its endpoints. "
        f"Of what has ended, the newest {_SHOWN} are shown.",
    )
    parser.add_argument("--all", action="store_true", help="show everything that has ended")
    parser.add_argument("--json", action="store_true", help="print all as JSON; times are seconds")
    parser.set_defaults(run=status)


def up(_: argparse.Namespace) -> int:
    """Start the server, or find the one that runs, and say where it is."""
    import local_sagemaker

    with told():
        connection = local_sagemaker.start(paths.workspace(), paths.project() / "containers" / "images.toml")
    print(f"running at {connection.endpoint_url} (process {connection.pid})")
    return 0


def down(_: argparse.Namespace) -> int:
    import local_sagemaker

    with told():
        local_sagemaker.stop(paths.workspace())
    print("stopped")
    return 0


def status(options: argparse.Namespace) -> int:
    """Print where the server runs, and a table of jobs and endpoints: what is active, then the newest first."""
    import local_sagemaker

    about = local_sagemaker.status(paths.workspace())
    if options.json:
        print(json.dumps(about, indent=1))
        return 0
    where = f"running at {about['endpoint_url']} (process {about['pid']})" if about["running"] else "not running"
    print(f"{where}\nworkspace {about['workspace']}")
    things = sorted(about["endpoints"] + about["jobs"], key=lambda thing: (not thing["active"], thing["age"]))
    ended = [thing for thing in things if not thing["active"]]
    hidden = set() if options.all else {id(thing) for thing in ended[_SHOWN:]}
    rows = [_row(thing) for thing in things if id(thing) not in hidden]
    print(
        "\n" + table([("kind", "name", "status", "age", "took", "reason"), *rows]) if rows else "no jobs, no endpoints"
    )
    if hidden:
        print(f"... and {len(hidden)} older: labs status --all")
    return 0


def _row(thing: dict[str, Any]) -> tuple[str, ...]:
    reason = textwrap.shorten(thing["reason"], _REASON, placeholder=" ...")
    return thing["kind"], thing["name"], thing["status"], duration(thing["age"]), duration(thing["took"]), reason
