"""Files that hold objects' bytes."""

from __future__ import annotations

import uuid
from collections.abc import Container
from pathlib import Path


class Blobs:
    """A folder of files. A file that is no longer wanted goes only after the index says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unwanted: set[Path] = set()
        for shard in range(256):
            (folder / f"{shard:02x}").mkdir(parents=True, exist_ok=True)

    def write(self, data: bytes) -> Path:
        path = self.new_path()
        try:
            path.write_bytes(data)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    def new_path(self) -> Path:
        name = uuid.uuid4().hex
        return self.folder / name[:2] / name[2:]

    def discard(self, path: Path) -> None:
        self._unwanted.add(path)

    def remove_unwanted(self, indexed: Container[str]) -> None:
        """Delete the files that were discarded, but for those that the index still names."""
        for path in list(self._unwanted):
            if self.name(path) not in indexed:
                self._unwanted.discard(path)
                path.unlink(missing_ok=True)

    @staticmethod
    def name(path: Path) -> str:
        """The file as the index names it."""
        return f"{path.parent.name}/{path.name}"

    def all(self) -> set[Path]:
        return set(self.folder.glob("??/*"))
