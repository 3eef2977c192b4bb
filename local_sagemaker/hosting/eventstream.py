"""The binary event stream of InvokeEndpointWithResponseStream.

Format: application/vnd.amazon.eventstream: total length, headers' length and their CRC-32, the headers, the
payload, CRC-32 of it all; every number is big-endian (AWS SDK documentation, "event stream encoding").
"""

from __future__ import annotations

import json
import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
LARGEST = 64 * 1024  # bytes of one part; well below what clients accept as one message
_STRING = 7  # the type of a header whose value is text


def part(payload: bytes) -> bytes:
    """A PayloadPart event."""
    headers = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    return _message(headers, payload)


def failure(message: str) -> bytes:
    """The ModelStreamError that ends a stream which broke off."""
    headers = {
        ":message-type": "exception", ":exception-type": "ModelStreamError", ":content-type": "application/json",
    }  # fmt: skip
    return _message(headers, json.dumps({"Message": message, "ErrorCode": "StreamBroken"}).encode())


def _message(headers: dict[str, str], payload: bytes) -> bytes:
    packed = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(">B", len(name)) + name + struct.pack(">BH", _STRING, len(value)) + value
