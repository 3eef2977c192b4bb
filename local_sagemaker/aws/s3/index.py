"""The durable list of buckets and objects: an SQLite database beside the files with their bytes.

The bytes of an object are written first, its index row second (one transaction), so an object is either there or
not, also after a kill. Kept for a bucket: what `_BUCKET_FIELDS` names, its policy and its tags. Kept for an object
version: what `_FIELDS` names, its metadata and its tags. Multipart uploads in progress end with the server.
"""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from local_sagemaker.aws.s3.blobs import Blobs
from local_sagemaker.aws.s3.keys import DiskKey, Rows, s3

_FIELDS = (
    "contentsize", "_etag", "_storage_class", "_version_id", "_is_versioned", "checksum_algorithm",
    "checksum_value", "checksum_type", "checksum_parts", "encryption", "kms_key_id", "bucket_key_enabled",
    "lock_mode", "lock_legal_status", "lock_until", "website_redirect_location",
)  # fmt: skip
_BUCKET_FIELDS = ("region_name", "versioning_status", "object_lock_enabled", "encryption")
_SCHEMA = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS bucket(name TEXT PRIMARY KEY, state TEXT);
CREATE TABLE IF NOT EXISTS object(bucket TEXT, key TEXT, ordinal INTEGER, state TEXT,
    PRIMARY KEY(bucket, key, ordinal)) WITHOUT ROWID;
"""


class Index:
    """The buckets and objects of one moto backend, on disk."""

    def __init__(self, path: Path, backend: Any, blobs: Blobs) -> None:
        self._backend, self._blobs = backend, blobs
        self._lock = threading.Lock()
        self._buckets: dict[str, str] = {}
        self._files: dict[tuple[str, str], set[str]] = {}  # of each row that is on disk
        self._indexed: set[str] = set()  # all of them
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)

    def load(self) -> set[Path]:
        """Fill moto's backend from the index; the files that no object refers to."""
        orphans = self._blobs.all()
        self._buckets = dict(self._database.execute("SELECT name, state FROM bucket"))
        for name, state in self._buckets.items():
            self._restore_bucket(name, json.loads(state))
        rows = self._database.execute(
            "SELECT bucket, key, state, json_extract(state, '$.blob') FROM object ORDER BY bucket, key, ordinal"
        )
        last, versions = ("", ""), Rows()
        for bucket, key, state, blob in rows:
            if (bucket, key) != last:
                last, versions = (bucket, key), Rows()
                self._backend.buckets[bucket].keys.set_rows(key, versions)
            versions.append(state)
            if blob is not None:
                orphans.discard(self._blobs.folder / blob)
                self._files.setdefault(last, set()).add(blob)
                self._indexed.add(blob)
        return orphans

    def _restore_bucket(self, name: str, state: dict[str, Any]) -> None:
        bucket = s3.FakeBucket(name, self._backend.account_id, state["region_name"])
        bucket.__dict__.update({field: state[field] for field in _BUCKET_FIELDS if field in state})
        bucket.creation_date = datetime.fromisoformat(state["created"])
        bucket.policy = state["policy"].encode() if state.get("policy") else None
        bucket.keys.restore = lambda key, rows: self._restore_versions(bucket, key, rows)
        self._backend.buckets[name] = bucket
        if state.get("tags"):
            self._backend.tagger.tag_resource(bucket.arn, state["tags"])

    def _restore_versions(self, bucket: Any, name: str, rows: Rows) -> list[Any]:
        versions: list[Any] = []
        for state in map(json.loads, rows):
            if state.get("marker"):
                marker = s3.FakeDeleteMarker(key=versions[-1])
                marker._version_id = state["version"]
                versions.append(marker)
            else:
                versions.append(self._restore_object(bucket, name, state))
        return versions

    def _restore_object(self, bucket: Any, name: str, state: dict[str, Any]) -> DiskKey:
        fields = {field: state[field] for field in _FIELDS if field in state}
        modified = datetime.fromisoformat(state["modified"])
        key = DiskKey.of(bucket, name, path=self._blobs.folder / state["blob"], last_modified=modified, **fields)
        key.set_metadata(dict(state["metadata"]))
        if state["tags"]:
            self._backend.tagger.tag_resource(key.arn, state["tags"])
        return key

    def place(self, bucket: Any, name: str, key: DiskKey, check: Callable[[Any], None] = lambda present: None) -> bool:
        """Make ``key`` the object ``name`` of an unversioned bucket, on disk before in memory.

        ``check`` sees the present object (or None) and may raise. False when the bucket is gone. Raises OSError.
        """
        with self._lock:
            if self._backend.buckets.get(bucket.name) is not bucket:
                return False
            check(bucket.keys.get(name))
            row = (bucket.name, name, json.dumps(self._state(key)))
            try:
                self._database.execute("INSERT OR REPLACE INTO object VALUES(?,?,0,?)", row)
            except sqlite3.Error as error:
                raise _refused(error) from error
            self._name_files(bucket.name, name, [key])
            bucket.keys.setlist(name, [key])
            bucket.keys.changed.discard(name)
            self._blobs.remove_unwanted(self._indexed)
        return True

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
                raise _refused(error) from error
            self._blobs.remove_unwanted(self._indexed)

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
            written = []
            for bucket, key in changed:
                run("DELETE FROM object WHERE bucket=? AND key=?", (bucket.name, key))
                versions = list(bucket.keys.getlist(key, []))
                written.append((bucket.name, key, versions))
                rows = [(bucket.name, key, number, json.dumps(self._state(v))) for number, v in enumerate(versions)]
                self._database.executemany("INSERT INTO object VALUES(?,?,?,?)", rows)
            run("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # SQLite itself ends one when the disk is full
                run("ROLLBACK")
            raise
        for name, key in [known for known in self._files if known[0] in self._buckets.keys() - buckets.keys()]:
            self._name_files(name, key, [])
        for name, key, versions in written:
            self._name_files(name, key, versions)
        self._buckets = buckets

    def _name_files(self, bucket: str, key: str, versions: list[Any]) -> None:
        """Remember which files the rows of a key now name."""
        self._indexed -= self._files.pop((bucket, key), set())
        names = {Blobs.name(version.path) for version in versions if isinstance(version, DiskKey) and version.path}
        if names:
            self._files[bucket, key] = names
            self._indexed |= names

    def _bucket_state(self, bucket: Any) -> dict[str, Any]:
        fields = {field: getattr(bucket, field) for field in _BUCKET_FIELDS}
        policy = bucket.policy.decode() if bucket.policy else None
        tags = self._backend.tagger.list_tags_for_resource(bucket.arn)["Tags"]
        return {**fields, "created": bucket.creation_date.isoformat(), "policy": policy, "tags": tags}

    def _state(self, key: Any) -> dict[str, Any]:
        if isinstance(key, s3.FakeDeleteMarker):
            return {"marker": True, "version": key.version_id}
        state = {field: key.__dict__[field] for field in _FIELDS if field in key.__dict__}
        state["blob"] = Blobs.name(key.path)
        state["modified"] = key.last_modified.isoformat()
        state["metadata"] = dict(key.metadata)
        state["tags"] = self._backend.tagger.list_tags_for_resource(key.arn)["Tags"]
        return state


def _refused(error: sqlite3.Error) -> OSError:
    code = getattr(error, "sqlite_errorcode", None)
    full = code is not None and (code & 0xFF) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    return OSError(errno.ENOSPC if full else errno.EIO, f"S3 index: {error}")
