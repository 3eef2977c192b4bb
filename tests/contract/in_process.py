"""The server without a socket: boto3's requests go to the WSGI application in this process."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.moto_api._internal.models import moto_api_backend
from werkzeug.test import run_wsgi_app

from local_sagemaker import Connection
from local_sagemaker.api.operations import Operations
from local_sagemaker.server import Emulator
from local_sagemaker.workspace import Workspace

PORT = 1  # nothing listens there: a request that misses the hook fails
URL = f"http://127.0.0.1:{PORT}"


class Answer(io.BytesIO):
    """A response's body with what botocore wants of urllib3's."""

    def stream(self, amt: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while block := self.read(amt):
            yield block


class Transport:
    """Hands the requests of every botocore session that is made from now on to one application."""

    current: "Transport | None" = None  # the services are global to a process, so only one can serve

    def __init__(self) -> None:
        self._emulator: Emulator | None = None
        botocore.register_initializer(lambda session: session.register("before-send", self.send))

    @property
    def operations(self) -> Operations:
        """SageMaker's operations of the server."""
        assert self._emulator is not None
        return self._emulator.sagemaker.operations

    @contextmanager
    def serving(self, workspace: Path, images: Path) -> Iterator[Connection]:
        """The services of ``workspace`` in this process, until the end of the block. One at a time."""
        place = Workspace(workspace)
        place.prepare()
        emulator = Emulator(place, images, PORT)
        emulator.recover()
        self._emulator, Transport.current = emulator, self
        try:
            yield place.connection()
        finally:
            self._emulator = Transport.current = None
            emulator.close()
            moto_api_backend.reset()  # its services are global, the next workspace begins with none

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """The answer to a signed request; None when it is for somebody else."""
        if self._emulator is None or not request.url.startswith(URL + "/"):
            return None
        blocks, status, headers = run_wsgi_app(self._emulator.application, environ(request), buffered=True)
        body = b"" if request.method == "HEAD" else b"".join(blocks)
        return AWSResponse(request.url, int(status.split()[0]), headers, Answer(body))


def environ(request: AWSPreparedRequest) -> dict[str, Any]:
    """What the server's HTTP side makes of a request."""
    target = request.url.removeprefix(URL)
    parts = urlsplit(target)
    headers = HTTPMessage()
    for name, value in request.headers.items():
        headers[name] = value.decode() if isinstance(value, bytes) else value
    if "Host" not in headers:
        headers["Host"] = urlsplit(URL).netloc
    body = content(request.body)
    made: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path).encode().decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(PORT),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "local_sagemaker.headers": headers,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    made["CONTENT_LENGTH"] = str(len(body))
    return made


def content(body: Any) -> bytes:
    """A request's body: nothing, text, bytes, or a file."""
    if hasattr(body, "read"):
        return body.read()
    return body.encode() if isinstance(body, str) else body or b""
