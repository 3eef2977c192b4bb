"""S3 objects on disk: moto's keys hold a file instead of bytes, and an SQLite index survives restarts.

The bytes of an object are written first, its index row second (one transaction), so an object is either
there or not. Hooks into moto's S3 models, hence the guard on its exact version. Kept for a bucket: name, region,
creation date, versioning. Kept for an object version: what `_FIELDS` names, and its tags.
Multipart uploads in progress end with the server.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import sqlite3
import threading
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import moto

s3: Any = importlib.import_module("moto.s3.models")  # Any: this module replaces some of its names

MOTO_VERSION = "5.2.5"

_FIELDS = (
    "contentsize", "_etag", "_storage_class", "_version_id", "_is_versioned", "checksum_algorithm",
    "checksum_value", "checksum_type", "checksum_parts", "encryption", "kms_key_id", "bucket_key_enabled",
    "lock_mode", "lock_legal_status", "lock_until", "website_redirect_location",
)  # fmt: skip
_BUCKET_FIELDS = ("region_name", "versioning_status", "object_lock_enabled")


class Blobs:
    """Files that hold objects' bytes. A file that is no longer wanted goes only after the index says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unwanted: set[Path] = set()
        for shard in range(256):
            (folder / f"{shard:02x}").mkdir(parents=True, exist_ok=True)

    def write(self, data: bytes) -> Path:
        path = self.new_path()
        path.write_bytes(data)
        return path

    def new_path(self) -> Path:
        name = uuid.uuid4().hex
        return self.folder / name[:2] / name[2:]

    def discard(self, path: Path) -> None:
        self._unwanted.add(path)

    def unwanted(self) -> list[Path]:
        """Take the files that wait to be deleted."""
        taken = []
        with contextlib.suppress(KeyError):
            while True:
                taken.append(self._unwanted.pop())
        return taken

    def sweep(self, wanted: set[Path]) -> None:
        """Delete files that no object refers to: what a killed server had not finished."""
        for path in self.folder.glob("??/*"):
            if path not in wanted:
                path.unlink(missing_ok=True)


class DiskKey(s3.FakeKey):
    """moto's S3 key with its bytes in a file."""

    __module__ = "moto.s3.models"  # moto's metaclass derives the service from it
    blobs: Blobs
    path: Path | None
    disposed: bool
    _etag: str | None

    def __init__(self, *args: Any, multipart: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._value_buffer = None
        if multipart is not None:
            multipart.dispose()  # the parts are joined in this key

    @property
    def value(self) -> bytes:
        return b"" if self.path is None else self.path.read_bytes()

    @value.setter
    def value(self, data: bytes | str | None) -> None:
        self.path = None
        self.contentsize = 0
        if data is None:  # the bytes follow: see adopt()
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
            self._etag = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
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


class TrackedKeys(s3._VersionedKeyStore):
    """A bucket's keys that remember which of them changed since the index was written."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()

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


def install(folder: Path) -> Blobs:
    """Make moto's S3 keep its objects below ``folder``. Raises RuntimeError for another moto version."""
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(f"S3 on disk is written for moto {MOTO_VERSION}, not {moto.__version__}")
    blobs = DiskKey.blobs = Blobs(folder / "blobs")
    s3.FakeKey = DiskKey
    s3._VersionedKeyStore = TrackedKeys
    return blobs


class Index:
    """The durable list of buckets and objects, in SQLite."""

    def __init__(self, path: Path, backend: Any, blobs: Blobs) -> None:
        self._backend, self._blobs = backend, blobs
        self._lock = threading.Lock()
        self._buckets: dict[str, str] = {}
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS bucket(name TEXT PRIMARY KEY, state TEXT);"
            "CREATE TABLE IF NOT EXISTS object(bucket TEXT, key TEXT, ordinal INTEGER, state TEXT,"
            " PRIMARY KEY(bucket, key, ordinal)) WITHOUT ROWID;"
        )

    def load(self) -> None:
        """Fill moto's backend from the index."""
        self._buckets = dict(self._database.execute("SELECT name, state FROM bucket"))
        for name, state in self._buckets.items():
            self._restore_bucket(name, json.loads(state))
        wanted = set()
        rows = self._database.execute("SELECT bucket, key, state FROM object ORDER BY bucket, key, ordinal")
        for bucket, key, state in rows:
            wanted.add(self._restore_object(self._backend.buckets[bucket], key, json.loads(state)))
        self._blobs.sweep({path for path in wanted if path})
        for bucket in self._backend.buckets.values():
            bucket.keys.take_changed()

    def _restore_bucket(self, name: str, state: dict[str, Any]) -> None:
        bucket = s3.FakeBucket(name, self._backend.account_id, state["region_name"])
        bucket.__dict__.update({field: state[field] for field in _BUCKET_FIELDS})
        bucket.creation_date = datetime.fromisoformat(state["created"])
        self._backend.buckets[name] = bucket

    def _restore_object(self, bucket: Any, name: str, state: dict[str, Any]) -> Path | None:
        if state.get("marker"):
            marker = s3.FakeDeleteMarker(key=bucket.keys[name])
            marker._version_id = state["version"]
            bucket.keys[name] = marker
            return None
        key = DiskKey(name, None, bucket.account_id, bucket.region_name, bucket_name=bucket.name)
        key.__dict__.update({field: state[field] for field in _FIELDS if field in state})
        key.path = self._blobs.folder / state["blob"]
        key.last_modified = datetime.fromisoformat(state["modified"])
        key.set_metadata(dict(state["metadata"]))
        bucket.keys[name] = key
        if state["tags"]:
            self._backend.tagger.tag_resource(key.arn, state["tags"])
        return key.path

    def save(self, bucket: str | None = None, key: str | None = None) -> None:
        """Write every change since the last call (and ``key``, whose attributes may have changed).

        Raises OSError when the disk refuses; the changes are then tried again by the next call.
        """
        with self._lock:
            if bucket in self._backend.buckets and key:
                self._backend.buckets[bucket].keys.changed.add(key)
            changed = [(b, k) for b in list(self._backend.buckets.values()) for k in b.keys.take_changed()]
            try:
                self._write(changed)
            except sqlite3.Error as error:
                for holder, name in changed:
                    holder.keys.changed.add(name)
                raise OSError(f"S3 index: {error}") from error
            for path in self._blobs.unwanted():
                path.unlink(missing_ok=True)

    def _write(self, changed: list[tuple[Any, str]]) -> None:
        buckets = {b.name: json.dumps(self._bucket_state(b)) for b in list(self._backend.buckets.values())}
        if not changed and buckets == self._buckets:
            return
        run = self._database.execute
        run("BEGIN IMMEDIATE")
        try:
            for name in self._buckets.keys() - buckets.keys():
                run("DELETE FROM bucket WHERE name=?", (name,))
                run("DELETE FROM object WHERE bucket=?", (name,))
            self._database.executemany(
                "INSERT OR REPLACE INTO bucket VALUES(?,?)", buckets.items() - self._buckets.items()
            )
            for bucket, key in changed:
                run("DELETE FROM object WHERE bucket=? AND key=?", (bucket.name, key))
                rows = [
                    (bucket.name, key, ordinal, json.dumps(self._state(version)))
                    for ordinal, version in enumerate(bucket.keys.getlist(key, []))
                ]
                self._database.executemany("INSERT INTO object VALUES(?,?,?,?)", rows)
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        self._buckets = buckets

    @staticmethod
    def _bucket_state(bucket: Any) -> dict[str, Any]:
        fields = {field: getattr(bucket, field) for field in _BUCKET_FIELDS}
        return {**fields, "created": bucket.creation_date.isoformat()}

    def _state(self, key: Any) -> dict[str, Any]:
        if isinstance(key, s3.FakeDeleteMarker):
            return {"marker": True, "version": key.version_id}
        state = {field: key.__dict__[field] for field in _FIELDS if field in key.__dict__}
        state["blob"] = os.fspath(key.path.relative_to(self._blobs.folder))
        state["modified"] = key.last_modified.isoformat()
        state["metadata"] = dict(key.metadata)
        state["tags"] = self._backend.tagger.list_tags_for_resource(key.arn)["Tags"]
        return state
