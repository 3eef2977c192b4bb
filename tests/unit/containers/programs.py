"""Running the images' programs."""

import json
import socket
import subprocess
import urllib.error
import urllib.request
from typing import Any


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
