"""moto's CloudWatch Logs on disk: a folder for each group, a file of JSON lines for each stream.

A stream's first line names it, every other one is an event. Events are read when someone asks for them, so finished
jobs' logs cost no memory. Kept for a group: its name and when it was created.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_sagemaker.files import read_json, write_json

models: Any = importlib.import_module("moto.logs.models")

_GROUP_FILE = "group.json"
_CACHED = 4  # streams whose events stay in memory
_lock = threading.RLock()


class DiskLogStream(models.LogStream):
    """moto's log stream with its events in a file."""

    __module__ = "moto.logs.models"  # moto's metaclass derives the service from it
    path: Path | None = None
    _cache: OrderedDict[Path, tuple[int, list[Any]]] = OrderedDict()  # noqa: RUF012 (one for all streams)

    def __new__(cls, *args: Any, **kwargs: Any) -> DiskLogStream:
        return object.__new__(cls)  # moto's own remembers every stream for ever

    @property
    def events(self) -> list[Any]:
        """All events so far; what was read before is not read again while the stream is in use."""
        if self.path is None:
            return []
        with _lock:
            offset, events = self._cache.pop(self.path, (0, []))
            with self.path.open("rb") as stream:
                stream.seek(offset)
                whole, newline, _ = stream.read().rpartition(b"\n")
            lines = whole.split(b"\n") if newline else []
            events += self._parsed(lines[1:] if offset == 0 else lines, len(events))
            self._cache[self.path] = (offset + len(whole) + len(newline), events)
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
            return events

    @events.setter
    def events(self, value: list[Any]) -> None:
        """Nothing: moto begins with no events, as the file does."""

    def _parsed(self, lines: Iterable[bytes], number: int) -> Iterator[Any]:
        base = int(hashlib.sha256(self.arn.encode()).hexdigest()[:12], 16) << 32
        for line in lines:
            try:
                ingested, timestamp, message = json.loads(line)
            except ValueError:
                continue  # cut short when the server was killed
            event = models.LogEvent(ingested, {"timestamp": timestamp, "message": message})
            event.event_id = base + number
            number += 1
            yield event

    def put_log_events(self, log_events: list[dict[str, Any]]) -> str:
        now = int(models.unix_time_millis(models.utcnow()))
        lines = [json.dumps([now, e["timestamp"], e["message"]], ensure_ascii=False) + "\n" for e in log_events]
        assert self.path is not None
        with _lock:
            _append(self.path, "".join(lines).encode("utf-8", "replace"))
            self.upload_sequence_token += 1
        return f"{self.upload_sequence_token:056d}"

    def to_describe_dict(self) -> dict[str, Any]:
        described = {
            "arn": self.arn,
            "creationTime": int(models.unix_time_millis(self.creation_time)),
            "logStreamName": self.log_stream_name,
            "storedBytes": 0,  # as AWS says for every stream since 2019
        }
        if first_last := self._ends():
            (_, first, _), (ingested, last, _) = first_last
            described |= {
                "firstEventTimestamp": first,
                "lastEventTimestamp": last,
                "lastIngestionTime": ingested,
                "uploadSequenceToken": str(self.upload_sequence_token),
            }
        return described

    def _ends(self) -> tuple[list[Any], list[Any]] | None:
        """The first and the last event, read from the two ends of the file."""
        if self.path is None:
            return None
        with self.path.open("rb") as stream:
            stream.readline()
            start = stream.tell()
            first = stream.readline()
            if not first.endswith(b"\n"):
                return None
            size, back = stream.seek(0, os.SEEK_END), 4096
            while True:
                begin = stream.seek(max(start, size - back))
                *_, before, last, _ = [b"", b"", *stream.read().split(b"\n")]
                if before or begin == start:
                    return json.loads(first), json.loads(last)
                back *= 8


class DiskStreams(dict[str, Any]):
    """A group's streams; the file of a stream comes and goes with its entry."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __setitem__(self, name: str, stream: Any) -> None:
        stream.path = self._folder / f"{_hash(name)}.jsonl"
        created = stream.creation_time.replace(tzinfo=UTC).timestamp()
        with _lock:
            stream.path.write_text(json.dumps({"stream": name, "created": created}) + "\n", encoding="utf-8")
        super().__setitem__(name, stream)

    def __delitem__(self, name: str) -> None:
        path = self[name].path
        super().__delitem__(name)
        path.unlink(missing_ok=True)

    def restore(self, group: Any) -> None:
        """Fill in the streams whose files are there."""
        for path in self._folder.glob("*.jsonl"):
            with path.open("rb") as file:
                try:
                    header = json.loads(file.readline())
                except ValueError:
                    continue
            stream = DiskLogStream(group, header["stream"])
            stream.path, stream.creation_time = path, _naive(header["created"])
            super().__setitem__(header["stream"], stream)


class DiskGroups(dict[str, Any]):
    """The log groups; the folder of a group comes and goes with its entry."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def __setitem__(self, name: str, group: Any) -> None:
        folder = self._root / _hash(name)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        created = group.creation_time.replace(tzinfo=UTC).timestamp()
        write_json(folder / _GROUP_FILE, {"group": name, "created": created})
        group.streams = DiskStreams(folder)
        super().__setitem__(name, group)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        shutil.rmtree(self._root / _hash(name), ignore_errors=True)

    def restore(self, backend: Any) -> None:
        """Fill in the groups whose folders are there."""
        for path in self._root.glob(f"*/{_GROUP_FILE}"):
            about = read_json(path)
            if about is not None:
                group = models.LogGroup(backend.account_id, backend.region_name, about["group"])
                group.creation_time = _naive(about["created"])
                group.streams = DiskStreams(path.parent)
                group.streams.restore(group)
                super().__setitem__(about["group"], group)


def install(backend: Any, root: Path) -> None:
    """Make moto's backend keep its logs below ``root``, with those that are there."""
    models.LogStream = DiskLogStream
    groups = DiskGroups(root)
    groups.restore(backend)
    backend.groups = groups


def _append(path: Path, data: bytes) -> None:
    """Append all of ``data`` or nothing."""
    with path.open("ab", buffering=0) as stream:
        size = stream.tell()
        try:
            while data:
                data = data[stream.write(data) :]
        except OSError:
            stream.truncate(size)
            raise


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _naive(seconds: float) -> datetime:
    """Epoch seconds as moto keeps times."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
