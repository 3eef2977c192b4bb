"""`labs up`, `labs down` and `labs status`: the embedded SageMaker."""

import argparse
from typing import Any

from lab_utils import paths


def add_commands(commands: Any) -> None:
    for name, run, summary in (
        ("up", up, "start the embedded SageMaker"),
        ("down", down, "stop the embedded SageMaker and its jobs"),
        ("status", status, "show whether the embedded SageMaker runs"),
    ):
        parser = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        parser.set_defaults(run=run)


def up(_: argparse.Namespace) -> int:
    """Start the server, or find the one that runs, and say where it is."""
    import local_sagemaker

    connection = local_sagemaker.start(paths.workspace(), paths.project() / "containers" / "images.toml")
    print(f"running at {connection.endpoint_url} (process {connection.pid})")
    return 0


def down(_: argparse.Namespace) -> int:
    import local_sagemaker

    local_sagemaker.stop(paths.workspace())
    print("stopped")
    return 0


def status(_: argparse.Namespace) -> int:
    """Print what the server says of itself, one `name: value` a line."""
    import local_sagemaker

    for name, value in local_sagemaker.status(paths.workspace()).items():
        print(f"{name}: {value}")
    return 0
