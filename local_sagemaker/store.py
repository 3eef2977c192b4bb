"""Records of resources: one JSON file each, replaced atomically, read once at start."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from local_sagemaker.files import read_json, write_json

Record = dict[str, Any]
"""A resource: members as AWS's Describe names them; names that start with "_" stay inside the server."""


class Store:
    """Records by kind ("TrainingJob", "Model" ...) and name. A record is never changed, only replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._records: dict[str, dict[str, Record]] = {}
        for path in sorted(folder.glob("*/*.json")):
            record = read_json(path)
            if record is not None:
                self._records.setdefault(path.parent.name, {})[path.stem] = record

    def get(self, kind: str, name: str) -> Record | None:
        return self._records.get(kind, {}).get(name)

    def all(self, kind: str) -> list[Record]:
        with self._lock:
            return list(self._records.get(kind, {}).values())

    def kinds(self) -> list[str]:
        with self._lock:
            return list(self._records)

    def put(self, kind: str, name: str, record: Record) -> Record:
        """Store ``record``, on disk before in memory. Raises OSError when the disk refuses it."""
        with self._lock:
            path = self._path(kind, name)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            write_json(path, record)
            self._records.setdefault(kind, {})[name] = record
        return record

    def add(self, kind: str, name: str, record: Record) -> bool:
        """Store a new record; False, and nothing stored, when the name is taken."""
        with self._lock:
            if self.get(kind, name) is not None:
                return False
            self.put(kind, name, record)
            return True

    def update(self, kind: str, name: str, **changes: Any) -> Record | None:
        """Replace members of a record; None when it is gone."""
        return self.change(kind, name, lambda record: changes)

    def change(self, kind: str, name: str, changes: Callable[[Record], Record | None]) -> Record | None:
        """Replace the members that ``changes`` derives from the present record, with no other change between.

        None, and nothing replaced, when the record is gone or ``changes`` returns None.
        """
        with self._lock:
            record = self.get(kind, name)
            members = None if record is None else changes(record)
            return None if record is None or members is None else self.put(kind, name, {**record, **members})

    def delete(self, kind: str, name: str) -> None:
        with self._lock:
            self._path(kind, name).unlink(missing_ok=True)
            self._records.get(kind, {}).pop(name, None)

    def by_arn(self, arn: str) -> tuple[str, str, Record] | None:
        """Kind, name and record of the resource with this ARN."""
        return next((found for found in self._walk() if found[2].get("_arn") == arn), None)

    def _walk(self) -> Iterator[tuple[str, str, Record]]:
        with self._lock:
            return iter([(k, n, r) for k, records in self._records.items() for n, r in records.items()])

    def _path(self, kind: str, name: str) -> Path:
        return self._folder / kind / f"{name}.json"
