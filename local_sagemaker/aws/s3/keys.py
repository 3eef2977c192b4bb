"""moto's objects, buckets' keys and multipart uploads with their bytes in files.

Hooks into moto's S3 models, hence the guard on its exact version.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import moto

from local_sagemaker.aws.s3 import digests
from local_sagemaker.aws.s3.blobs import Blobs

s3: Any = importlib.import_module("moto.s3.models")  # Any: this module replaces some of its names

MOTO_VERSION = "5.2.5"
_BLOCK = 1 << 20


class DiskKey(s3.FakeKey):
    """moto's S3 key with its bytes in a file."""

    __module__ = "moto.s3.models"  # moto's metaclass derives the service from it
    blobs: Blobs
    path: Path | None
    disposed: bool
    _etag: str | None

    def __new__(cls, *args: Any, **kwargs: Any) -> DiskKey:
        return object.__new__(cls)  # moto's own remembers every key for ever

    def __init__(self, *args: Any, multipart: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._value_buffer = None
        if multipart is not None:
            multipart.dispose()  # the parts are joined in this key

    @classmethod
    def of(cls, bucket: Any, name: str, **state: Any) -> DiskKey:
        """A key of ``bucket`` with these attributes and moto's defaults for the rest, made the short way."""
        defaults = bucket.keys.defaults
        if defaults is None:
            blank = cls("", None, bucket.account_id, bucket.region_name, version_id="null", bucket_name=bucket.name)
            defaults = bucket.keys.defaults = dict(vars(blank))  # the blank key itself is disposed of
        key = cls.__new__(cls)
        metadata = s3.LowercaseDict()
        metadata.store.update(defaults["_metadata"].store)
        key.__dict__.update(defaults, name=name, _metadata=metadata, last_modified=s3.utcnow(), lock=threading.Lock())
        key.__dict__.update(state)
        return key

    @property
    def value(self) -> bytes:
        return b"" if self.path is None else self.path.read_bytes()

    @value.setter
    def value(self, data: bytes | str | Path | None) -> None:
        self.path = None
        self.contentsize = 0
        if data is None:  # the bytes follow
            return
        if isinstance(data, Path):
            self.path, self.contentsize = data, data.stat().st_size
            return
        data = data.encode() if isinstance(data, str) else bytes(data)
        self._etag = self._etag or hashlib.md5(data, usedforsecurity=False).hexdigest()
        self.path = self.blobs.write(data)
        self.contentsize = len(data)

    @property
    def etag(self) -> str:
        return f'"{self._etag}"'

    def adopt(self, path: Path) -> None:
        """Take over the file ``path`` as this key's bytes, without reading it into memory."""
        with path.open("rb") as stream:
            self._etag = hashlib.file_digest(stream, digests.md5).hexdigest()
        self.contentsize = path.stat().st_size
        target = self.blobs.new_path()
        shutil.move(path, target)
        self.path = target

    def dispose(self, garbage: bool = False) -> None:
        # Another version's object may be collected while this file is still indexed: only an explicit call counts.
        if not garbage and not self.disposed and self.path is not None:
            self.blobs.discard(self.path)
        self.disposed = True

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, lock=threading.Lock())


class Rows(list[str]):
    """The index rows of a key's versions, of which no key has been made yet."""


class TrackedKeys(s3._VersionedKeyStore):
    """A bucket's keys that remember which of them changed since the index was written.

    After a restart they are rows of the index, of which keys are made when someone asks for them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()
        self.defaults: dict[str, Any] | None = None
        self.restore: Callable[[str, Rows], list[Any]]
        self._restoring = threading.Lock()

    def __sgetitem__(self, key: str) -> list[Any]:
        versions: list[Any] = dict.__getitem__(self, key)
        if isinstance(versions, Rows):
            with self._restoring:
                versions = dict.__getitem__(self, key)
                if isinstance(versions, Rows):
                    versions = self.restore(key, versions)
                    dict.__setitem__(self, key, versions)
        return versions

    def set_rows(self, key: str, rows: Rows) -> None:
        dict.__setitem__(self, key, rows)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.changed.add(key)

    def setlist(self, key: str, list_: Any) -> None:
        super().setlist(key, list_)
        self.changed.add(key)

    def pop(self, key: str) -> None:
        super().pop(key)
        self.changed.add(key)

    def take_changed(self) -> list[str]:
        taken = []
        with contextlib.suppress(KeyError):
            while True:
                taken.append(self.changed.pop())
        return taken


class DiskMultipart(s3.FakeMultipart):
    """moto's multipart upload that joins its parts file by file."""

    __module__ = "moto.s3.models"

    def __new__(cls, *args: Any, **kwargs: Any) -> DiskMultipart:
        return object.__new__(cls)

    def complete(self, body: Iterator[tuple[int, str]]) -> tuple[Path, str, tuple[str, str, int] | None]:
        """The joined file, its ETag, and type, value and number of parts of the checksum if one was asked for."""
        parts = self._chosen(body)
        if not parts:
            raise s3.MalformedXML
        etags = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        path = DiskKey.blobs.new_path()
        try:
            checksum = self._join(parts, path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path, f"{hashlib.md5(etags, usedforsecurity=False).hexdigest()}-{len(parts)}", checksum

    def _chosen(self, body: Iterator[tuple[int, str]]) -> list[Any]:
        chosen: list[Any] = []
        for number, etag in body:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.strip('"'):
                raise s3.InvalidPart
            if chosen and chosen[-1].contentsize < s3.S3_UPLOAD_PART_MIN_SIZE:
                raise s3.EntityTooSmall
            chosen.append(part)
        return chosen

    def _join(self, parts: list[Any], path: Path) -> tuple[str, str, int] | None:
        algorithm = digests.ALGORITHMS.get(self.metadata.get("x-amz-checksum-algorithm") or "")
        whole, composite = (algorithm(), algorithm()) if algorithm else (None, None)
        with path.open("xb") as target:
            for part in parts:
                single = algorithm() if algorithm else None
                with part.path.open("rb") as source:
                    while block := source.read(_BLOCK):
                        target.write(block)
                        if single is not None and whole is not None:
                            single.update(block)
                            whole.update(block)
                if single is not None and composite is not None:
                    composite.update(single.digest())
        if whole is None or composite is None:
            return None
        if self.metadata.get("x-amz-checksum-type") == "FULL_OBJECT":
            return "FULL_OBJECT", base64.b64encode(whole.digest()).decode(), 1
        return "COMPOSITE", base64.b64encode(composite.digest()).decode(), len(parts)


def install(folder: Path) -> Blobs:
    """Make moto's S3 keep its objects below ``folder``. Raises RuntimeError for another moto version."""
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(f"S3 on disk is written for moto {MOTO_VERSION}, not {moto.__version__}")
    blobs = DiskKey.blobs = Blobs(folder / "blobs")
    s3.FakeKey, s3.FakeMultipart, s3._VersionedKeyStore = DiskKey, DiskMultipart, TrackedKeys
    return blobs
