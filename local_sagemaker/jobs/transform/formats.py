"""The formats whose records DataProcessing can filter and join: CSV, JSON Lines, JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Protocol

from local_sagemaker.jobs.transform.records import RecordError

_OUTPUT, _INPUT = "SageMakerOutput", "SageMakerInput"
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"


class Format(Protocol):
    """Bytes from and to values, one for each record."""

    name: str

    def parse(self, data: bytes) -> list[Any]:
        """The values. Raises RecordError."""

    def dump(self, values: list[Any]) -> bytes: ...

    def join(self, value: Any, output: Any) -> Any:
        """An input and the program's answer to it as one value."""


class Csv:
    """A value is a row: a list of strings."""

    name = "CSV"

    def parse(self, data: bytes) -> list[Any]:
        try:
            return [row for row in csv.reader(io.StringIO(data.decode(), newline=""), strict=True) if row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise _unreadable(data, self.name, error) from error

    def dump(self, values: list[Any]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(v if isinstance(v, list) else [v] for v in values)
        return text.getvalue().encode()

    def join(self, value: Any, output: Any) -> Any:
        return [*value, *output]


class Json:
    """One value."""

    name = "JSON"

    def parse(self, data: bytes) -> list[Any]:
        return [_json(data)]

    def dump(self, values: list[Any]) -> bytes:
        return b"".join(map(_dumped, values))

    def join(self, value: Any, output: Any) -> Any:
        return {**value, _OUTPUT: output} if isinstance(value, dict) else {_INPUT: value, _OUTPUT: output}


class JsonLines(Json):
    """A value on each line."""

    def parse(self, data: bytes) -> list[Any]:
        return [_json(line) for line in data.splitlines() if line.strip()]

    def dump(self, values: list[Any]) -> bytes:
        return b"".join(_dumped(value) + b"\n" for value in values)


def format_of(content_type: str | None, *, by_line: bool) -> Format | None:
    """The format of a MIME type; None for one that cannot be filtered. JSON ``by_line`` is JSON Lines."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == CSV:
        return Csv()
    if kind == JSON_LINES or (kind == JSON and by_line):
        return JsonLines()
    return Json() if kind == JSON else None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable(data, "JSON", error) from error


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _unreadable(data: bytes, name: str, error: Exception) -> RecordError:
    return RecordError(f"Failed to parse line: '{data[:80].decode('utf-8', 'replace')}' as {name}: {error}")
