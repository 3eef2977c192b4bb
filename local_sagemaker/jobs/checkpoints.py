"""Checkpoints, and outputs that are uploaded as they appear: a folder of the container kept equal to a prefix in S3."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from local_sagemaker.aws.objects import ObjectError, Objects

_PERIOD = 5.0  # seconds between looks at the folder
_SETTLED = 1.0  # a file that changed less than so many seconds ago may still be written


class CheckpointSync:
    """Fetches earlier checkpoints, then uploads files as they appear or change, until closed."""

    def __init__(self, objects: Objects, uri: str, folder: Path) -> None:
        self._objects, self._uri, self._folder = objects, uri.rstrip("/") + "/", folder
        self._seen: dict[Path, tuple[int, int]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="checkpoints", daemon=True)

    def open(self) -> int:
        """Download what the prefix holds and start watching; the number of files. Raises ObjectError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        count = self._objects.download(self._uri, self._folder)
        self.start()
        return count

    def start(self) -> None:
        """Start watching; files that are there already count as uploaded."""
        self._seen = self._stamps()
        self._thread.start()

    def close(self) -> None:
        """Stop watching and upload whatever is left. Raises ObjectError or OSError."""
        self.abandon()
        self._upload(settled=False)

    def abandon(self) -> None:
        """Stop watching."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(_PERIOD):
            try:
                self._upload(settled=True)
            except (OSError, ObjectError):
                continue  # the last upload, in close(), reports what does not go away

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        stamps = {}
        for path in self._folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                stamps[path] = (status.st_mtime_ns, status.st_size)
        return stamps

    def _upload(self, *, settled: bool) -> None:
        newest = time.time_ns() - int(_SETTLED * 1e9)
        for path, stamp in self._stamps().items():
            if self._seen.get(path) != stamp and (not settled or stamp[0] < newest):
                copy = self._folder.parent / f".checkpoint-{threading.get_ident()}.tmp"
                shutil.copyfile(path, copy)
                self._objects.upload(self._uri + path.relative_to(self._folder).as_posix(), copy)
                self._seen[path] = stamp
