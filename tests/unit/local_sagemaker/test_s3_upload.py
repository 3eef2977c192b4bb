"""Bodies of uploads: aws-chunked framing, damaged and short ones."""

import io
from base64 import b64encode
from email.message import Message
from http.client import HTTPMessage
from pathlib import Path
from zlib import crc32

import pytest

from local_sagemaker.aws.s3 import conditions, upload
from local_sagemaker.errors import AwsError

CHECKSUM = b64encode(crc32(b"streamed").to_bytes(4, "big")).decode()


def headers(**named: str) -> HTTPMessage:
    message: Message = HTTPMessage()
    for name, value in named.items():
        message[name.replace("_", "-")] = value
    return message  # type: ignore[return-value]


def receive(body: bytes, about: HTTPMessage, folder: Path) -> upload.Stored:
    return upload.receive(io.BytesIO(body), upload.claims(about, None), folder / "blob")  # type: ignore[arg-type]


def streamed(length: int = 8) -> HTTPMessage:
    return headers(
        X_Amz_Content_SHA256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        X_Amz_Trailer="x-amz-checksum-crc32",
        X_Amz_Decoded_Content_Length=str(length),
    )


def test_chunks(tmp_path: Path) -> None:
    body = f"3\r\nstr\r\n5;ext=1\r\neamed\r\n0\r\nx-amz-checksum-crc32:{CHECKSUM}\r\n\r\n".encode()
    assert upload.understood(streamed())
    assert receive(body, streamed(), tmp_path).checksum == CHECKSUM
    assert (tmp_path / "blob").read_bytes() == b"streamed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"8\r\nstreamed\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"),
        (b"8\r\nstreamed\r\n0\r\n\r\n", "BadDigest"),
        (b"8\r\nstreamed", "IncompleteBody"),
        (b"8\r\nstr", "IncompleteBody"),
        (b"-8\r\nstreamed\r\n0\r\n\r\n", "IncompleteBody"),
        (b"0x8\r\nstreamed\r\n0\r\n\r\n", "IncompleteBody"),
        (b"9\r\nstreamed!\r\n0\r\n\r\n", "IncompleteBody"),
        (b"8\r\nstreamedXX0\r\n\r\n", "IncompleteBody"),
        (b"streamed", "IncompleteBody"),
    ],
)
def test_broken_chunks(tmp_path: Path, body: bytes, code: str) -> None:
    with pytest.raises(AwsError) as raised:
        receive(body, streamed(), tmp_path)
    assert raised.value.code == code
    assert not list(tmp_path.iterdir())


def test_a_short_body(tmp_path: Path) -> None:
    with pytest.raises(AwsError, match="number of bytes"):
        receive(b"short", headers(Content_Length="9"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "about",
    [
        {"X_Amz_Checksum_Crc64nvme": "x"},
        {"X_Amz_Content_SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
        {"Content_Encoding": "aws-chunked"},
        {"X_Amz_Trailer": "x-amz-checksum-crc32c", "X_Amz_Content_SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
    ],
    ids=str,
)
def test_what_is_left_to_moto(about: dict[str, str]) -> None:
    assert not upload.understood(headers(**about))


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({}, "MissingContentLength"),
        ({"Content_Length": str(6 << 30)}, "EntityTooLarge"),
        ({"Content_Length": "1", "X_Amz_Sdk_Checksum_Algorithm": "CRC32"}, "InvalidRequest"),
        ({"Content_Length": "1", "X_Amz_Checksum_Crc32": "x", "X_Amz_Checksum_Sha1": "y"}, "InvalidRequest"),
        (
            {"Content_Length": "1", "X_Amz_Checksum_Crc32": CHECKSUM, "X_Amz_Sdk_Checksum_Algorithm": "SHA1"},
            "InvalidRequest",
        ),
    ],
    ids=str,
)
def test_contradictions(about: dict[str, str], code: str) -> None:
    with pytest.raises(AwsError) as raised:
        upload.claims(headers(**about), None)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-4", (0, 5)), ("bytes=5-", (5, 5)), ("bytes=-3", (7, 3)), ("bytes=-99", (0, 10)),
        ("bytes=9-99", (9, 1)),
        ("bytes=4-2", None), ("bytes=-", None), ("bytes=0-1,3-4", None), ("lines=1-2", None), (None, None),
    ],
)  # fmt: skip
def test_ranges(asked: str | None, part: tuple[int, int] | None) -> None:
    assert conditions.byte_range(asked, 10) == part


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_ranges_beyond_the_end(asked: str) -> None:
    with pytest.raises(AwsError) as raised:
        conditions.byte_range(asked, 10)
    assert (raised.value.status, raised.value.members["ActualObjectSize"]) == (416, 10)
