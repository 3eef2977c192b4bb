"""HTTP/1.1 for one WSGI application: connections stay open, bodies stream in, files go out without a copy.

werkzeug's own server ends the connection with every answer, which costs more than most answers do.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from werkzeug.serving import DechunkedInput

_MAX_LINE = 65536  # bytes
_DRAINED = 1 << 20  # bytes of an unread body that are read so that the connection can go on
_BLOCK = 1 << 18
_LINGER = 5.0  # seconds

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileRange:
    """A WSGI answer: ``count`` bytes of an open file from ``offset``."""

    file: BinaryIO
    offset: int
    count: int

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.offset)
        left = self.count
        while left and (block := self.file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block

    def close(self) -> None:
        self.file.close()


class Body(io.RawIOBase):
    """A request's body of known length, read from the connection when it is asked for."""

    def __init__(self, stream: io.BufferedIOBase, length: int, on_first: Callable[[], None]) -> None:
        self._stream, self.left, self._on_first = stream, length, on_first
        self._started = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._started:
            self._started = True
            self._on_first()
        count = self._stream.readinto(memoryview(buffer)[: self.left])
        if self.left and not count and len(buffer):
            raise ConnectionError("the request's body ended early")
        self.left -= count
        return count


class Server(ThreadingMixIn, TCPServer):
    """A thread for every connection to a socket that listens already."""

    daemon_threads = True
    closing = False

    def __init__(self, listener: socket.socket, application: Application) -> None:
        super().__init__(listener.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket, self.application = listener, application
        self.server_address = listener.getsockname()

    def shutdown(self) -> None:
        self.closing = True
        super().shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that goes away is no news
            log.exception("connection of %s", client_address)


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection, one after another."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300.0  # seconds without a byte
    server: Server

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(_MAX_LINE + 1)
            if not self.raw_requestline or self.server.closing:
                self.close_connection = True
            elif len(self.raw_requestline) > _MAX_LINE:
                self.requestline = self.request_version = self.command = ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            elif self.parse_request():
                self._answer()
        except TimeoutError:
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        return True  # a client is told to continue when its body is wanted: see _body()

    def log_message(self, *arguments: Any) -> None:
        """Nothing: requests are not news."""

    def _answer(self) -> None:
        body = self._body()
        if body is None or not self.path.startswith("/"):
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        head: list[Any] = []
        answer = self.server.application(self._environ(body), lambda *given: head.extend(given))
        try:
            sending = self._still_sends(body)
            self._send(head[0], head[1], answer)
            if sending:
                self._linger()
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def _body(self) -> io.RawIOBase | None:
        """The request's body; None when its length is not clear, which is how requests are smuggled."""
        lengths = self.headers.get_all("Content-Length", [])
        coding = self.headers.get("Transfer-Encoding")
        if coding is not None:
            self.close_connection = True
            return None if lengths or coding.lower() != "chunked" else DechunkedInput(cast(Any, self.rfile))
        if len(lengths) > 1 or not all(text.isascii() and text.isdigit() for text in lengths):
            return None
        return Body(cast(io.BufferedIOBase, self.rfile), int(lengths[0]) if lengths else 0, self._continue)

    def _continue(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _still_sends(self, body: io.RawIOBase) -> bool:
        """Read the rest of a body that was not wanted; True, and the connection then ends, if that is too much."""
        left = getattr(body, "left", 0)
        if left > _DRAINED or (left and "Expect" in self.headers):
            self.close_connection = True
            return True
        while left and body.read(_BLOCK):
            pass
        return False

    def _linger(self) -> None:
        """Let a client that is still sending read the answer: closing at once would reset the connection."""
        until = time.monotonic() + _LINGER
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER)
            while time.monotonic() < until and self.connection.recv(_BLOCK):
                pass

    def _environ(self, body: io.RawIOBase) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path).encode().decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": self.client_address[1],
            "SERVER_NAME": self.server.server_address[0],
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "local_sagemaker.headers": self.headers,
        }
        for name, value in self.headers.items():
            if "_" not in name:  # would be taken for another header's name
                key = name.upper().replace("-", "_")
                key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], answer: Iterable[bytes]) -> None:
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names and status[:3] not in ("204", "304"):
            self.close_connection = True  # the end of the connection is the end of the answer
        own = [("Date", formatdate(usegmt=True))] if "date" not in names else []
        if self.close_connection:
            own.append(("Connection", "close"))
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (*headers, *own)), "\r\n"]
        head = "\r\n".join(lines).encode("latin-1", "replace")
        if self.command == "HEAD" or (isinstance(answer, FileRange) and not answer.count):
            self.wfile.write(head)
        elif isinstance(answer, FileRange):
            self.wfile.write(head)
            with contextlib.suppress(BrokenPipeError):
                self.connection.sendfile(answer.file, answer.offset, answer.count)
        else:
            for block in answer:
                self.wfile.write(head + block)
                head = b""
            if head:
                self.wfile.write(head)
