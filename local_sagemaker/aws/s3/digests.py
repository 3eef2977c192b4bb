"""The digests by which S3's clients check an object."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any


class Crc32:
    """zlib's CRC-32 with the interface of hashlib."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes | memoryview) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


ALGORITHMS: dict[str, Callable[[], Any]] = {"CRC32": Crc32, "SHA1": hashlib.sha1, "SHA256": hashlib.sha256}
"""Checksum algorithms of which this server can compute the value; CRC32C and CRC64NVME need libraries."""
