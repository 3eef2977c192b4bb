"""model.tar.gz and output.tar.gz: packed from a folder, unpacked into one and nowhere else."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

_RESERVE = 256 * 1024 * 1024  # bytes of disk left free by an unpacked archive


class ArchiveError(Exception):
    """An archive that cannot be unpacked; the message names it."""


def pack(folders: Sequence[Path], archive: Path) -> list[str]:
    """Write the contents of all ``folders`` to the gzip-compressed tar ``archive``.

    Returns the names of the files that several folders have, of which the first folder's is taken.
    """
    doubled: list[str] = []
    taken: set[str] = set()
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if name not in taken:
                    taken.add(name)
                    tar.add(path, name, recursive=False)
                elif not path.is_dir():
                    doubled.append(name)
    return doubled


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpack into ``folder``. Members that lead out of it, devices and what the disk cannot hold are refused.

    Raises ArchiveError; ``name`` is what its message calls the archive.
    """
    free = shutil.disk_usage(folder).free - _RESERVE
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                free -= member.size
                if free < 0:
                    raise ArchiveError(f"{name} unpacks to more than the disk can hold")
                tar.extract(member, folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArchiveError(f"{name}: {error}") from error
