"""Writes that happen whole or not at all.

The data goes to a temporary file in the target's own folder and is renamed over the target at the end, so
that a reader, or a run after a crash, never meets half a file.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_FILE_MODE = 0o666 & ~_umask()  # read once: the umask is the whole process's, threads would race


@contextmanager
def open_atomic(path: str | Path, mode: str = "w", **options: Any) -> Iterator[IO[Any]]:
    """Open `path` for writing; it appears, or is replaced, only if the block ends without an error.

    Missing parent folders are made. `mode` is "w" or "wb"; text is UTF-8 unless `encoding` is given.
    """
    if mode not in {"w", "wb"}:
        raise ValueError(f"mode must be 'w' or 'wb', not {mode!r}")
    if mode == "w":
        options.setdefault("encoding", "utf-8")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, mode, **options) as file:
            yield file
        temporary.chmod(_FILE_MODE)  # mkstemp's 0600 would hide the file from other users
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with open_atomic(path) as file:
        file.write(text)


def write_json(path: str | Path, obj: Any, *, indent: int | None = 2) -> None:
    """Write `obj` as JSON with a newline at the end; NaN and infinity are refused."""
    text = json.dumps(obj, indent=indent, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")
