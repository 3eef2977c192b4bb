"""The environments on disk: how large, in use or not, referred to or not."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_sagemaker.images.registry import Registry, environments

_FOLDER = re.compile(r".+-[0-9a-f]{12}")


@dataclass(frozen=True)
class Environment:
    """A folder of packages. ``size`` is in bytes; ``own`` is what deleting it frees, the rest shares uv's cache."""

    folder: Path
    size: int
    own: int
    used: bool


def unreferenced(images_toml: Path, *, all_: bool = False) -> list[Environment]:
    """The environments that no entry of the registry refers to, ``all_``: every one. Raises ImageError."""
    kept = set() if all_ else {image.folder for image in Registry(images_toml).images().values()}
    root = environments()
    folders = sorted(root.iterdir()) if root.is_dir() else []
    running = list(_running())
    return [
        _measured(folder, any(path.is_relative_to(folder) for path in running))
        for folder in folders
        if folder not in kept and folder.is_dir() and not folder.is_symlink() and _FOLDER.fullmatch(folder.name)
    ]


def remove(environment: Environment) -> bool:
    """Delete an environment; False when a program runs in it or it is being built."""
    if environment.used:
        return False
    lock = environment.folder.with_suffix(".lock")
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        (environment.folder / ".complete").unlink(missing_ok=True)
        shutil.rmtree(environment.folder)
        lock.unlink()
    return True


def measure(folder: Path) -> int:
    """Bytes on disk of all files below a folder."""
    return _measured(folder, False).size


def _measured(folder: Path, used: bool) -> Environment:
    size = own = 0
    seen = set()
    for path in folder.rglob("*"):
        status = path.lstat()
        if status.st_ino not in seen:
            seen.add(status.st_ino)
            size += status.st_blocks * 512
            own += status.st_blocks * 512 if status.st_nlink == 1 or path.is_dir() else 0
    return Environment(folder, size, own, used)


def _running() -> Iterator[Path]:
    """The programs that run on this machine, as they were called: an environment's Python is a link."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, IndexError):
            yield Path(process.cmdline()[0])
