"""The body of an upload: streamed into a file, and held against every digest that the request names."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_sagemaker.auth import check_digest
from local_sagemaker.aws.s3 import digests
from local_sagemaker.errors import AwsError

if TYPE_CHECKING:
    from http.client import HTTPMessage

_BLOCK = 1 << 18
_MAX_LINE = 4096  # bytes of a chunk's head or of a trailer
_MAX_SIZE = 5 << 30  # bytes; S3's limit for one PUT
_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_PREFIX = "x-amz-checksum-"


@dataclass(frozen=True)
class Claims:
    """What a request says of its body; ``length`` in bytes, without the framing of aws-chunked."""

    length: int
    sha256: str | None
    md5: bytes | None
    algorithm: str | None
    checksum: str | None
    chunked: bool


@dataclass(frozen=True)
class Stored:
    """What arrived; ``checksum`` is the base64 value of the claimed algorithm."""

    size: int
    etag: str
    checksum: str | None


def understood(headers: HTTPMessage) -> bool:
    """Whether the body's framing and checksum are ones that this module knows."""
    checksums = [name[len(_PREFIX) :].upper() for name in headers if name.lower().startswith(_PREFIX)]
    trailer = headers.get("X-Amz-Trailer")
    if trailer is not None:
        checksums.append(trailer.lower().removeprefix(_PREFIX).upper())
    content = headers.get("X-Amz-Content-SHA256", "")
    streaming = content == _UNSIGNED_TRAILER and trailer is not None
    framed = "aws-chunked" in headers.get("Content-Encoding", "") or content.startswith("STREAMING-")
    return all(name in digests.ALGORITHMS for name in checksums) and framed == streaming


def claims(headers: HTTPMessage, sha256: str | None) -> Claims:
    """What the headers say of the body, of which `understood` holds. Raises AwsError for a contradiction."""
    chunked = "X-Amz-Trailer" in headers
    length = headers.get("X-Amz-Decoded-Content-Length" if chunked else "Content-Length")
    if length is None or not length.isdigit():
        raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if int(length) > _MAX_SIZE:
        raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    algorithm, checksum = _checksum(headers)
    return Claims(int(length), sha256, _md5(headers), algorithm, checksum, chunked)


def _checksum(headers: HTTPMessage) -> tuple[str | None, str | None]:
    given = {name[len(_PREFIX) :].upper(): value for name, value in headers.items() if name.lower().startswith(_PREFIX)}
    if "X-Amz-Trailer" in headers:
        given[headers["X-Amz-Trailer"].lower().removeprefix(_PREFIX).upper()] = ""
    if len(given) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise AwsError("InvalidRequest", message)
    named = headers.get("X-Amz-Sdk-Checksum-Algorithm")
    if not given:
        if named is not None:
            raise AwsError(
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
                "headers were found.",
            )
        return None, None
    ((algorithm, value),) = given.items()
    if named is not None and named.upper() != algorithm:
        raise AwsError("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
    if value and len(_decoded(value)) != len(digests.ALGORITHMS[algorithm]().digest()):
        raise AwsError("InvalidRequest", f"Value for {_PREFIX}{algorithm.lower()} header is invalid.")
    return algorithm, value or None


def _md5(headers: HTTPMessage) -> bytes | None:
    if "Content-MD5" not in headers:
        return None
    digest = _decoded(headers["Content-MD5"])
    if len(digest) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.")
    return digest


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def receive(stream: io.RawIOBase, claims: Claims, path: Path) -> Stored:
    """Stream the body into the new file ``path``; no file is left when it is refused.

    Raises AwsError for a body that is not what the request claims, OSError for a disk that refuses it.
    """
    try:
        return _receive(stream, claims, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _receive(stream: io.RawIOBase, claims: Claims, path: Path) -> Stored:
    md5, sha256 = digests.md5(), hashlib.sha256() if claims.sha256 else None
    checksum = digests.ALGORITHMS[claims.algorithm]() if claims.algorithm else None
    wanted: list[Any] = [digest for digest in (md5, sha256, checksum) if digest is not None]
    trailers: dict[str, str] = {}
    size = 0
    with path.open("xb", buffering=0) as target:
        for block in _unchunked(io.BufferedReader(stream), trailers) if claims.chunked else _blocks(stream, claims):
            size += len(block)
            if size > claims.length:
                break
            for digest in wanted:
                digest.update(block)
            _write(target, block)
    if size != claims.length:
        raise AwsError("IncompleteBody", "You did not provide the number of bytes specified by the HTTP header")
    if sha256 is not None:
        check_digest(claims.sha256, sha256.hexdigest())
    if claims.md5 is not None and md5.digest() != claims.md5:
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    value = base64.b64encode(checksum.digest()).decode() if checksum is not None else None
    expected = claims.checksum or (trailers.get(f"{_PREFIX}{claims.algorithm}".lower()) if claims.chunked else None)
    if value != expected:
        raise AwsError("BadDigest", f"The {claims.algorithm} you specified did not match the calculated checksum.")
    return Stored(size, md5.hexdigest(), value)


def _write(target: io.RawIOBase, block: bytes | memoryview) -> None:
    while len(block):
        block = block[target.write(block) :]


def _blocks(stream: io.RawIOBase, claims: Claims) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(_BLOCK, claims.length)))
    left = claims.length
    while left and (count := stream.readinto(buffer[:left])):
        left -= count
        yield buffer[:count]


def _unchunked(stream: io.BufferedReader, trailers: dict[str, str]) -> Iterator[bytes]:
    """The data of an aws-chunked body; fills ``trailers`` at its end."""
    while left := _chunk_size(stream.readline(_MAX_LINE)):
        while left:
            block = stream.read(min(left, _BLOCK))
            if not block:
                raise _malformed()
            left -= len(block)
            yield block
        if stream.read(2) != b"\r\n":
            raise _malformed()
    while line := stream.readline(_MAX_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", size):
        raise _malformed()
    return int(size, 16)


def _malformed() -> AwsError:
    return AwsError("IncompleteBody", "The request body is not chunked as its headers say")
