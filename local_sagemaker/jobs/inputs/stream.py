"""What flows through a pipe: objects and attributes one after the other, if asked decompressed and framed."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from local_sagemaker.aws.objects import ObjectError, StoredObject
from local_sagemaker.jobs.inputs.recordio import framed

_CHUNK = 256 * 1024  # bytes
Part = bytes | StoredObject
"""What one attribute of one line, or one object, streams: its bytes, or those of an object."""


def stream(records: Iterable[tuple[Part, ...]], *, wrapped: bool, gzipped: bool) -> Iterator[bytes]:
    """The bytes of all parts in order. Raises ObjectError, naming the object, for one that cannot be read.

    ``wrapped``: each part is one RecordIO record. ``gzipped``: objects are decompressed.
    """
    for record in records:
        for part in record:
            if isinstance(part, bytes):
                yield from framed([part], len(part)) if wrapped else [part]
            else:
                yield from _object(part, wrapped, gzipped)


def _object(stored: StoredObject, wrapped: bool, gzipped: bool) -> Iterator[bytes]:
    try:
        with stored.path.open("rb") as file:
            if not gzipped:
                size = stored.path.stat().st_size
                yield from framed(_chunks(file), size) if wrapped else _chunks(file)
            else:
                yield from _decompressed(file, wrapped)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ObjectError(f"the object {stored.key!r}: {error}") from error


def _decompressed(file: BinaryIO, wrapped: bool) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as plain:
        if not wrapped:
            yield from _chunks(plain)
            return
        with tempfile.TemporaryFile() as whole:  # a record begins with its length
            shutil.copyfileobj(plain, whole, _CHUNK)
            size = whole.tell()
            whole.seek(0)
            yield from framed(_chunks(whole), size)


def _chunks(file: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
