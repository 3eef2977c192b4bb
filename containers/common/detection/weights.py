"""First weights from elsewhere: downloads that go on where they ended, and an earlier job's model.tar.gz."""

import hashlib
import os
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from sagemaker_contract import UserError

CHUNK = 1 << 20


def cache_dir() -> Path:
    """Where downloads are kept: LABS_WEIGHTS_DIR, else the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("LABS_WEIGHTS_DIR") or Path(home) / "signal-labs/weights")


def download(url: str, folder: Path, sha256: str = "", size: int = 0) -> Path:
    """Fetch `url` into `folder`, going on where an earlier attempt ended; returns the file.

    A file counts as complete only under its final name, after its `sha256` (hex) and `size` in bytes
    were compared, where given. Raises UserError.
    """
    target = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{Path(urlsplit(url).path).name}"
    if target.is_file():
        _verify(target, url, sha256, size)
        return target
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        _fetch(url, part)
    except (OSError, ValueError) as error:
        raise UserError(f"{url}: download failed ({error})") from error
    try:
        _verify(part, url, sha256, size)
    except UserError:
        part.unlink()
        raise
    part.replace(target)
    return target


def unpack(channel: Path, name: str) -> Path:
    """The file `name` in a channel that holds an earlier job's model.tar.gz, packed or unpacked."""
    found = sorted(channel.rglob(name))
    if not found:
        archives = sorted(channel.rglob("*.tar.gz"))
        if not archives:
            raise UserError(f"{channel}: neither {name} nor a model.tar.gz")
        folder = channel.parent / f"{channel.name}-unpacked"
        try:
            with tarfile.open(archives[0]) as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise UserError(f"{archives[0]}: not a model archive ({error})") from error
        found = sorted(folder.rglob(name))
    if not found:
        raise UserError(f"{channel}: the archive has no {name}")
    return found[0]


def _fetch(url: str, part: Path) -> None:
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the part is as long as the file: its hash decides
            return
        raise
    with answer, part.open("ab" if answer.status == 206 else "wb") as stream:
        expected = int(answer.headers.get("Content-Length") or 0)
        received = 0
        while chunk := answer.read(CHUNK):
            stream.write(chunk)
            received += len(chunk)
            print(f"weights: {(stream.tell()) >> 20} MiB", file=sys.stderr)
    if received < expected:
        raise OSError(f"the connection ended after {received} of {expected} bytes; start again to go on")


def _verify(path: Path, url: str, sha256: str, size: int) -> None:
    if size and path.stat().st_size != size:
        raise UserError(f"{url}: {path.stat().st_size} bytes, expected {size}")
    if sha256:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != sha256.lower():
            raise UserError(f"{url}: sha256 {digest}, expected {sha256.lower()}")
