"""Files to and from S3: many at a time, and only those that differ."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from lab_utils.atomic import open_atomic
from lab_utils.errors import ConfigError, DataError
from lab_utils.session import LabSession

THREADS = 10


def parse(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://bucket/key` URI (the key may be empty)."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise ConfigError(f"not an S3 URI: {uri!r} (expected s3://bucket/key)")
    return parts.netloc, parts.path.lstrip("/")


def listing(lab: LabSession, uri: str) -> dict[str, dict[str, Any]]:
    """Objects below a prefix: key relative to it -> `Size` (bytes) and `ETag`.

    `s3://b/test` does not list `s3://b/test2/x`: the prefix is a folder.
    """
    bucket, key = parse(uri.rstrip("/") + "/")
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    return {o["Key"][len(key) :]: o for page in pages for o in page.get("Contents", ())}


def size(lab: LabSession, uri: str) -> int:
    """Bytes of one object."""
    bucket, key = parse(uri)
    return lab.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"]


def upload(lab: LabSession, files: dict[str, Path], uri: str, *, what: str = "upload") -> int:
    """Upload files as `uri/<name>`; those already there with the same content are left alone.

    Args:
        files: name below the prefix -> local file.
        uri: `s3://bucket/prefix`.
        what: label of the progress bar.

    Returns:
        The number of files sent.
    """
    bucket, key = parse(uri.rstrip("/") + "/")
    there = {name: o["ETag"].strip('"') for name, o in listing(lab, uri).items()}
    client = lab.client("s3")

    def send(item: tuple[str, Path]) -> bool:
        name, file = item
        if there.get(name) == _md5(file):
            return False
        client.upload_file(str(file), bucket, key + name)
        return True

    return sum(_each(send, files.items(), len(files), what))


def download(lab: LabSession, uri: str, folder: Path, *, pattern: str = "*", what: str = "download") -> int:
    """Download the objects below a prefix into a folder, with their times; same size and time: left alone.

    Args:
        pattern: of the names below the prefix, as in `fnmatch`; `*` matches `/`, too.
        what: label of the progress bar.

    Raises:
        DataError: nothing of that pattern is below the prefix, or a key leads out of the folder.
    """
    bucket, key = parse(uri.rstrip("/") + "/")
    objects = {name: o for name, o in listing(lab, uri).items() if fnmatch(name, pattern)}
    if not objects:
        raise DataError(f"nothing in {uri}/" + f" named {pattern}" * (pattern != "*"))
    client = lab.client("s3")

    def get(name: str) -> bool:
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{uri}/{name}: the key leads out of the folder")
        size, time = objects[name]["Size"], int(objects[name]["LastModified"].timestamp())
        if target.is_file() and (target.stat().st_size, int(target.stat().st_mtime)) == (size, time):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_atomic(target, "wb") as file:
            client.download_fileobj(bucket, key + name, file)
        os.utime(target, (time, time))
        return True

    return sum(_each(get, (n for n in objects if not n.endswith("/")), len(objects), what))


def _each(function: Any, items: Iterable[Any], total: int, what: str) -> Iterator[bool]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield from tqdm(pool.map(function, items), total=total, desc=what, unit="file", leave=False)


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
