"""S3 for the jobs inside the server: list, copy out, put a file, without HTTP and without reading into memory."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from local_sagemaker.aws.services import AwsServices

_URI = re.compile(r"s3://(?P<bucket>[^/]+)/?(?P<key>.*)", re.DOTALL)


class ObjectError(Exception):
    """An object that cannot be had or placed; the message names it."""


@dataclass(frozen=True)
class StoredObject:
    """An object in S3 and the file with its bytes."""

    key: str
    path: Path

    @property
    def is_folder(self) -> bool:
        """Whether it is a console's folder marker."""
        return self.key.endswith("/")


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``. Raises ObjectError for anything else."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ObjectError(f"{uri!r} is not an S3 URI of the form s3://bucket/key")
    return match["bucket"], match["key"]


def place(relative: str, folder: Path) -> Path:
    """The path below ``folder`` for an object's relative key. Raises ObjectError when it would lie outside."""
    parts = PurePosixPath(relative.lstrip("/")).parts
    if not parts or ".." in parts or "\0" in relative:
        raise ObjectError(f"the key {relative!r} leads out of the folder of its channel")
    return folder.joinpath(*parts)


def relative_key(key: str, prefix: str) -> str:
    """``key`` relative to ``prefix``, which may name a folder, one object, or the beginning of a name."""
    rest = key[len(prefix) :]
    if prefix.endswith("/") or rest.startswith("/"):
        return rest
    return prefix.rpartition("/")[2] + rest


def copy(stored: StoredObject, name: str, folder: Path) -> Path:
    """Copy an object to the path ``name`` below ``folder``; that file. Raises ObjectError when it cannot lie there."""
    target = place(name, folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stored.path, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ObjectError(f"the key {stored.key!r} is both a file and a folder") from error
    return target


class Objects:
    """The objects of the workspace, as the jobs see them."""

    def __init__(self, services: AwsServices) -> None:
        self._services = services

    def find(self, uri: str) -> list[StoredObject]:
        """Objects whose key starts with the URI's, in key order. Raises ObjectError for a missing bucket."""
        bucket, prefix = split_uri(uri)
        keys = self._bucket(bucket).keys
        current = ((name, keys.get(name)) for name in sorted(dict(keys)) if name.startswith(prefix))
        return [StoredObject(name, key.path) for name, key in current if getattr(key, "path", None)]

    def get(self, uri: str) -> StoredObject:
        """One object. Raises ObjectError when it or its bucket is missing."""
        bucket, name = split_uri(uri)
        key = self._bucket(bucket).keys.get(name)
        if getattr(key, "path", None) is None:
            raise ObjectError(f"there is no object {uri}")
        return StoredObject(name, key.path)

    def download(self, uri: str, folder: Path) -> int:
        """Copy every object under the URI's prefix into ``folder``; the number of files.

        A file's path is its key after the prefix. Raises ObjectError.
        """
        _, prefix = split_uri(uri)
        files = [stored for stored in self.find(uri) if not stored.is_folder]
        for stored in files:
            copy(stored, relative_key(stored.key, prefix), folder)
        return len(files)

    def upload(self, uri: str, path: Path) -> None:
        """Store the file ``path`` as the object ``uri``; the file itself is taken away."""
        bucket, name = split_uri(uri)
        self._services.place_object(self._bucket(bucket), name, path)

    def require_bucket(self, uri: str) -> None:
        """Raise ObjectError when the URI's bucket does not exist."""
        self._bucket(split_uri(uri)[0])

    def _bucket(self, name: str) -> Any:
        bucket = self._services.s3.buckets.get(name)
        if bucket is None:
            raise ObjectError(f"the bucket {name!r} does not exist")
        return bucket
