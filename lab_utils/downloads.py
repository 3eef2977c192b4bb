"""Downloads that are checked, go on where they ended, and are there whole or not at all."""

import fcntl
import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from lab_utils.errors import DataError

_TIMEOUT = 60  # seconds without a byte
_PAUSE = 1.0  # seconds before the second attempt; each further one waits twice as long
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A file elsewhere.

    Attributes:
        url: http or https.
        size: in bytes.
        sha256: of its bytes, as hex.
    """

    url: str
    size: int
    sha256: str


def fetch(remote: Remote, target: str | Path, *, attempts: int = 5, progress: bool = True) -> Path:
    """Download a file to `target`, which is only there once size and sha256 are right; returns its path.

    What an interrupted call got stays in `target` + `.part`, from which the next goes on. A second process waits.

    Args:
        attempts: how often to go on after a broken connection.

    Raises:
        DataError: the server is not reached or refuses, the disk is too small, or the file is another than expected.
    """
    target = Path(target)
    if target.is_file() and target.stat().st_size == remote.size:
        return target
    if urlsplit(remote.url).scheme not in {"http", "https"}:
        raise DataError(f"{remote.url}: expected an http or https address")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with _locked(part) as file:
        if target.is_file() and target.stat().st_size == remote.size:  # by the process waited for
            part.unlink()
            return target
        _check_room(remote, target.parent, file.seek(0, 2))
        _fill(remote, file, attempts, progress)
        _verify(remote, file, part)
        part.replace(target)
    return target


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    """The partial file, ours alone: another process may have renamed the one first opened."""
    while True:
        with part.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if part.exists() and part.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield file
                return


def _check_room(remote: Remote, folder: Path, there: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < remote.size - there:
        lacking = f"{(remote.size - there) / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free"
        raise DataError(f"{remote.url}: no room in {folder}: {lacking}")


def _fill(remote: Remote, file: IO[bytes], attempts: int, progress: bool) -> None:
    from tqdm.auto import tqdm

    if file.seek(0, 2) > remote.size:
        file.truncate(0)
    name = Path(urlsplit(remote.url).path).name
    with tqdm(total=remote.size, desc=name, unit="B", unit_scale=True, disable=not progress) as bar:
        for attempt in range(1, attempts + 1):
            try:
                _go_on(remote, file, bar)
            except (OSError, http.client.HTTPException) as error:
                if attempt == attempts or _is_final(error):
                    kept = f"{file.seek(0, 2):,} of {remote.size:,} bytes are kept, from which the next call goes on"
                    raise DataError(f"{remote.url}: download failed: {error}; {kept}") from None
                time.sleep(_PAUSE * 2 ** (attempt - 1))
            if file.seek(0, 2) >= remote.size:
                return
    got = f"{file.seek(0, 2):,} of {remote.size:,} bytes"
    raise DataError(f"{remote.url}: the server ends after {got}; {attempts} attempts")


def _is_final(error: Exception) -> bool:
    """Whether another attempt would end alike: the server answered that it will not."""
    return isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in {408, 416, 429}


def _go_on(remote: Remote, file: IO[bytes], bar: Any) -> None:
    """Append what the server still has."""
    there = file.seek(0, 2)
    if there == remote.size:
        return
    headers = {"User-Agent": "signal-labs", **({"Range": f"bytes={there}-"} if there else {})}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(remote.url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            file.truncate(0)
        raise
    with answer:
        expected = f"bytes {there}-"
        if there and not (answer.status == 206 and answer.headers.get("Content-Range", "").startswith(expected)):
            file.truncate(0)  # a server that knows no ranges sends all of it
        bar.n = file.seek(0, 2)
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            if bar.n > remote.size:
                return
    file.flush()


def _verify(remote: Remote, file: IO[bytes], part: Path) -> None:
    size = file.seek(0, 2)
    file.flush()
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if size != remote.size or found != remote.sha256:
        part.unlink()
        got = f"{size:,} bytes with sha256 {found}"
        raise DataError(f"{remote.url}: another file than expected: {got}; expected {remote.size:,}, {remote.sha256}")
