"""ManifestFile: a JSON array of one {"prefix": "s3://..."} and the names of objects below it.

Format: SageMaker API reference, S3DataSource, S3Uri.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.aws.objects import ObjectError, Objects, StoredObject, split_uri

_SPACE = " \t\r\n"


@dataclass(frozen=True)
class ManifestLine:
    """One name of a manifest and the number of its line."""

    name: str
    number: int

    def find(self, objects: Objects, prefix: str) -> StoredObject:
        """The object that it names. Raises ObjectError, naming the line, when there is none."""
        try:
            return objects.get(prefix + self.name)
        except ObjectError as error:
            raise ObjectError(f"line {self.number} of the manifest: {error}") from error


@dataclass(frozen=True)
class Manifest:
    """A manifest's prefix and names."""

    prefix: str
    lines: tuple[ManifestLine, ...]


def read_manifest(data: bytes) -> Manifest:
    """Parse a manifest. Raises ObjectError that names the line and what was expected there."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ObjectError(f"the manifest is not UTF-8 text: {error}") from error
    elements = list(_elements(text))
    if not elements:
        raise ObjectError('the manifest is empty; its first element must be {"prefix": "s3://..."}')
    prefix = _prefix(*elements[0])
    lines = [ManifestLine(_name(value, number), number) for value, number in elements[1:]]
    if not lines:
        raise ObjectError("the manifest names no object after its prefix")
    return Manifest(prefix, tuple(lines))


def _prefix(value: Any, number: int) -> str:
    if not isinstance(value, dict) or value.keys() != {"prefix"} or not isinstance(value["prefix"], str):
        raise ObjectError(
            f'line {number} of the manifest: the first element must be {{"prefix": "s3://..."}}, not {_shown(value)}'
        )
    try:
        split_uri(value["prefix"])
    except ObjectError as error:
        raise ObjectError(f"line {number} of the manifest: prefix: {error}") from error
    return str(value["prefix"])


def _name(value: Any, number: int) -> str:
    if not isinstance(value, str) or not value:
        raise ObjectError(f"line {number} of the manifest: the name of an object is expected, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False):.80}"


def _elements(text: str) -> Iterator[tuple[Any, int]]:
    """The elements of a JSON array, each with the number of its line."""
    decoder, reader = json.JSONDecoder(), _Reader(text)
    reader.expect("[")
    if reader.take("]"):
        reader.expect_end()
        return
    while True:
        number = reader.line()
        try:
            value, reader.position = decoder.raw_decode(text, reader.position)
        except json.JSONDecodeError as error:
            raise ObjectError(f"line {error.lineno} of the manifest is not JSON: {error.msg}") from error
        except RecursionError as error:
            raise ObjectError(f"line {number} of the manifest is nested too deeply") from error
        yield value, number
        if not reader.take(","):
            break
    reader.expect("]")
    reader.expect_end()


class _Reader:
    """A place in a text, and the number of its line."""

    def __init__(self, text: str) -> None:
        self._text, self.position = text, 0
        self._counted, self._line = 0, 1
        self._skip()

    def line(self) -> int:
        self._line += self._text.count("\n", self._counted, self.position)
        self._counted = self.position
        return self._line

    def take(self, token: str) -> bool:
        self._skip()
        found = self._text.startswith(token, self.position)
        if found:
            self.position += len(token)
            self._skip()
        return found

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise ObjectError(f"line {self.line()} of the manifest is not JSON: {token!r} is expected")

    def expect_end(self) -> None:
        if self.position < len(self._text):
            raise ObjectError(f"line {self.line()} of the manifest: nothing may follow its array")

    def _skip(self) -> None:
        while self.position < len(self._text) and self._text[self.position] in _SPACE:
            self.position += 1
