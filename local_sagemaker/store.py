"""Records of resources: one JSON file each, replaced atomically, read once at start."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from local_sagemaker.files import write_json

Record = dict[str, Any]
"""A resource: members as AWS's Describe names them; names that start with "_" stay inside the server."""

_MAX_STEM = 200  # bytes; a file's name may have 255, and a temporary file's is longer
_NAME = "_store_name"  # in a record whose file cannot be called like it

log = logging.getLogger(__name__)


class Store:
    """Records by kind ("TrainingJob", "Model" ...) and name. A record is never changed, only replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._records: dict[str, dict[str, Record]] = {}
        self._by_arn: dict[str, tuple[str, str]] = {}
        for path in sorted(folder.glob("*/*.json")):
            record = _read(path)
            if record is not None:
                self._keep(path.parent.name, record.get(_NAME) or unquote(path.stem), record)

    def remove_leftovers(self) -> None:
        """Delete the temporary files of a server that was killed; only the server of the workspace may ask for it."""
        for path in self._folder.glob("*/.*.tmp"):
            path.unlink(missing_ok=True)

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
            if unquote(path.stem) != name:
                record = {**record, _NAME: name}
            write_json(path, record)
            self._keep(kind, name, record)
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
            record = self._records.get(kind, {}).pop(name, {})
            self._by_arn.pop(record.get("_arn", ""), None)

    def by_arn(self, arn: str) -> tuple[str, str, Record] | None:
        """Kind, name and record of the resource with this ARN."""
        with self._lock:
            found = self._by_arn.get(arn)
            return None if found is None else (*found, self._records[found[0]][found[1]])

    def _keep(self, kind: str, name: str, record: Record) -> None:
        self._records.setdefault(kind, {})[name] = record
        if "_arn" in record:
            self._by_arn[record["_arn"]] = (kind, name)

    def _path(self, kind: str, name: str) -> Path:
        stem = quote(name, safe="")
        if len(stem) > _MAX_STEM:
            stem = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / kind / f"{stem}.json"


def _read(path: Path) -> Record | None:
    """The record in a file; None, which the log tells, for what is no record."""
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None  # deleted meanwhile
    except ValueError as error:
        log.error("%s is left out, it is not a record: %s", path, error)
        return None
    if not isinstance(record, dict):
        log.error("%s is left out, it is not a record but %.40r", path, record)
        return None
    return record
