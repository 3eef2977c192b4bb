"""A healthy serve program and how requests reach it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import urllib3

from local_sagemaker.jobs.process import ContainerProcess

if TYPE_CHECKING:
    from local_sagemaker.hosting.container import ServingContainer

Body = bytes | Path
"""A request's body: bytes, or the file that holds them."""

_RETRY_PERIOD = 0.05
_MAX_TRIES = 2


class ContainerFailure(Exception):
    """The container cannot serve; the reason, as FailureReason gives it. ``side`` is whose fault it is."""

    def __init__(self, reason: str, side: str = "AlgorithmError") -> None:
        super().__init__(reason)
        self.side = side


@dataclass(frozen=True)
class Program:
    """A healthy serve program and the connections to it."""

    process: ContainerProcess
    pool: urllib3.HTTPConnectionPool

    @property
    def alive(self) -> bool:
        return self.process.alive

    def post(
        self, headers: Mapping[str, str], body: Body, timeout: float, *, whole: bool = True
    ) -> urllib3.BaseHTTPResponse:
        """The answer of /invocations, read to its end if it is wanted ``whole``. Raises urllib3's HTTPError."""
        length = body.stat().st_size if isinstance(body, Path) else len(body)
        sized = {**headers, "Content-Length": str(length)}  # simple servers know no chunked requests
        with _opened(body) as data:
            return self.pool.request(
                "POST", "/invocations", body=data, headers=sized, timeout=timeout, preload_content=whole
            )


@contextlib.contextmanager
def _opened(body: Body) -> Iterator[bytes | IO[bytes]]:
    if isinstance(body, bytes):
        yield body
    else:
        with body.open("rb") as stream:
            yield stream


def send(
    container: ServingContainer, headers: Mapping[str, str], body: Body, timeout: float, *, whole: bool = True
) -> urllib3.BaseHTTPResponse:
    """The program's answer to a request. Raises ContainerFailure or urllib3's HTTPError.

    Sent again while the program is being restarted, and when a connection breaks under a program that lives on:
    it had closed it as idle just when it was chosen for this request.
    """
    until = time.monotonic() + timeout
    tries = 0
    while True:
        program = container.program(until - time.monotonic())
        try:
            return program.post(headers, body, timeout, whole=whole)
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProtocolError) as error:
            time.sleep(_RETRY_PERIOD)
            broken = isinstance(error, urllib3.exceptions.ProtocolError)
            tries += broken
            if time.monotonic() > until or (broken and (tries > _MAX_TRIES or not program.alive)):
                raise
