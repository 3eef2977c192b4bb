"""The HTTP server: kept connections, bodies of every kind, requests that are refused."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.web import FileRange, Server

Serve = Callable[[Callable[..., Iterable[bytes]]], tuple[str, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(application: Callable[..., Iterable[bytes]]) -> tuple[str, int]:
        server = Server(socket.create_server(("127.0.0.1", 0)), application)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server.server_address

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers with the body; /unread leaves it."""
    body = b"unread" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def exchange(address: tuple[str, int], data: bytes) -> bytes:
    """All that the server answers until it closes or goes quiet."""
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_connection_is_kept(serve: Serve) -> None:
    client = HTTPConnection(*serve(echo))
    sockets = set()
    for path, body in (("/", b"one"), ("/unread", b"x" * 300_000), ("/", b"two"), ("/", b"")):
        client.request("POST", path, body)
        assert client.getresponse().read() == (b"unread" if path == "/unread" else body)
        sockets.add(client.sock)
    assert len(sockets) == 1


def test_an_unread_long_body_ends_the_connection(serve: Serve) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n"
    answer = exchange(serve(echo), head)
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"unread")


def test_a_client_that_still_sends_reads_the_answer(serve: Serve) -> None:
    client = HTTPConnection(*serve(echo), timeout=10)
    client.request("POST", "/unread", bytes(20 << 20))
    assert client.getresponse().read() == b"unread"


def test_a_body_that_ends_early(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    assert exchange(serve(echo), b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc") == b""
    assert not caplog.records


def test_expect_continue(serve: Serve) -> None:
    address = serve(echo)
    request = b"PUT %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    assert exchange(address, request % b"/" + b"body").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert exchange(address, request % b"/unread").startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_chunked_body(serve: Serve) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(serve(echo), head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").endswith(b"\r\n\r\nabcde")


@pytest.mark.parametrize(
    "head",
    [
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "POST / HTTP/1.1\r\nContent-Length: -1",
        "POST / HTTP/1.1\r\nContent-Length: +1",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        "GET http://elsewhere/ HTTP/1.1",
        "GET * HTTP/1.1",
        "nonsense",
        "GET / HTTP/1.1 extra",
    ],
)
def test_malformed_requests(serve: Serve, head: str) -> None:
    answer = exchange(serve(echo), head.encode() + b"\r\nHost: h\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.count(b"HTTP/1.") <= 1
    assert b"400" in answer.partition(b"\r\n")[0] or answer.startswith(b"<!DOCTYPE")


def test_a_long_request_line(serve: Serve) -> None:
    assert b" 414 " in exchange(serve(echo), b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n").partition(b"\r\n")[0]


def test_a_file_range(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4096)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("206 Partial Content", [("Content-Length", "500000")])
        return FileRange(path.open("rb"), 1000, 500_000)

    client = HTTPConnection(*serve(application))
    part = path.read_bytes()[1000:501_000]
    for method, expected in (("GET", part), ("HEAD", b""), ("GET", part)):
        client.request(method, "/")
        assert client.getresponse().read() == expected


def test_an_answer_of_unknown_length(serve: Serve) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return iter([b"a", b"b"])

    client = HTTPConnection(*serve(application))
    for _ in range(2):
        client.request("GET", "/")
        answer = client.getresponse()
        assert (answer.read(), answer.getheader("Connection")) == (b"ab", "close")
