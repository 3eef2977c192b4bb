"""Running the images' programs."""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unit.containers.conftest import CONTAINERS


def variables(base: Path, *, folders: Sequence[str] = ("common",), **further: str) -> dict[str, str]:
    """The environment of a program for a job in `base` that imports from these folders of `containers/`."""
    paths = os.pathsep.join(str(CONTAINERS / folder) for folder in folders)
    own = {"SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": paths, "OMP_NUM_THREADS": "2"}
    return {**os.environ, **own, **further}


def start(python: Path, program: str, environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    """Start a program of `containers/`."""
    return subprocess.Popen(
        [python, "-u", CONTAINERS / program, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def summary(base: Path) -> dict[str, Any]:
    """What a training job wrote at its end."""
    return json.loads((base / "model/training_summary.json").read_text())


def finish(process: subprocess.Popen, seconds: float = 240) -> tuple[int, str]:
    """Exit code and output of a program, when it ends."""
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def invoke(url: str, body: bytes, kind: str, attributes: str = "") -> tuple[int, dict[str, Any]]:
    """Status and answer of an endpoint."""
    headers = {"Content-Type": kind, "X-Amzn-SageMaker-Custom-Attributes": attributes}
    request = urllib.request.Request(f"{url}/invocations", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def free_port() -> str:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def serving(start: Callable[..., "subprocess.Popen[str]"]) -> Iterator[str]:
    """The address of a server that `start` starts when it is given SageMaker's variables; it must end well."""
    port = free_port()
    process = start(SAGEMAKER_BIND_HOST="127.0.0.1", SAGEMAKER_BIND_TO_PORT=port)
    assert process.stdout is not None
    while "Booting worker" not in process.stdout.readline():
        assert process.poll() is None
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert finish(process)[0] == 0
