"""Protocol buffers in their text form, without a schema: what TFOD's label maps and `pipeline.config` are written in.

Language: "Text Format Language Specification" of protobuf.dev. Without the schema an enumeration's value is a `Name`, a
field that occurs once may be a repeated one, and no default is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab_utils.errors import DataError

_DEPTH = 100  # of nested messages, as protobuf's own parsers
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\f\v]+|\#[^\n]*)|(?P<newline>\n)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>-?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|inf(?:inity)?\b|nan\b))
    |(?P<name>[A-Za-z_]\w*)|(?P<mark>[{}<>\[\]:;,./])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_BOOLS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}


class Name(str):
    """An identifier: the value of an enumeration."""


@dataclass
class Field:
    """One field of a message: a name, a scalar or a `Message`, and the line it stands in, from 1 (0: in none)."""

    name: str
    value: Any
    line: int = 0


@dataclass
class Message:
    """The fields of a message in their order; a path is names with dots between: `train_config.num_steps`."""

    fields: list[Field] = field(default_factory=list)

    def all(self, name: str) -> list[Field]:
        """Every field of that name: the elements of a repeated one."""
        return [f for f in self.fields if f.name == name]

    def find(self, path: str) -> Field | None:
        """The field at a path, or None; where a name repeats, the last counts, as in protobuf."""
        name, _, rest = path.partition(".")
        found = self.all(name)
        if not found or not rest:
            return found[-1] if found else None
        return found[-1].value.find(rest) if isinstance(found[-1].value, Message) else None

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path; a message's own if it is one."""
        found = self.find(path)
        return default if found is None else found.value

    def set(self, path: str, value: Any) -> None:
        """Put a value at a path, in place of the one there; messages on the way are made."""
        name, _, rest = path.partition(".")
        found = self.find(name)
        if found is None:
            self.fields.append(found := Field(name, Message()))
        if not rest:
            found.value = value
            return
        if not isinstance(found.value, Message):
            found.value = Message()
        found.value.set(rest, value)

    def remove(self, path: str) -> None:
        """Take away every field at a path."""
        above, _, name = path.rpartition(".")
        parent = self.get(above) if above else self
        if isinstance(parent, Message):
            parent.fields = [f for f in parent.fields if f.name != name]

    def __str__(self) -> str:
        """The message in text form."""
        return "".join(_lines(self, ""))


def parse(text: str, where: str = "text") -> Message:
    """Read a message.

    Raises:
        DataError: not the text form; the message is `WHERE:LINE:COLUMN: ...`.
    """
    return _Parser(text, where).message()


def quoted(text: str) -> str:
    """A string as the text form writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\{ord(found[0]):03o}", escaped) + '"'


def _lines(message: Message, indent: str) -> Iterator[str]:
    for f in message.fields:
        if isinstance(f.value, Message):
            yield f"{indent}{f.name} {{\n"
            yield from _lines(f.value, indent + "  ")
            yield f"{indent}}}\n"
        else:
            yield f"{indent}{f.name}: {_scalar(f.value)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) and not isinstance(value, Name) else str(value)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._tokens = list(self._tokenised(text))
        self._at = 0

    def message(self, end: str = "", depth: int = 0) -> Message:
        """The fields up to `end`, which is taken, too; "" is the end of the text."""
        found = Message()
        while self._token.text != end:
            if depth > _DEPTH:
                raise self._error(f"messages nested more than {_DEPTH} deep")
            found.fields += self._field(depth)
        self._next()
        return found

    def _field(self, depth: int) -> list[Field]:
        line, name = self._token.line, self._name()
        colon = self._taken(":")
        values = list(self._values(depth)) if self._token.text in ("[", "{", "<") or colon else []
        if not colon and self._token_before not in ("}", ">", "]"):
            raise self._error("expected ':' and a value, or '{'")
        self._taken(",", ";")
        return [Field(name, value, line) for value in values]

    def _values(self, depth: int) -> Iterator[Any]:
        if not self._taken("["):
            yield self._value(depth)
            return
        while not self._taken("]"):
            yield self._value(depth)
            if not self._taken(",") and self._token.text != "]":
                raise self._error("expected ',' or ']'")

    def _value(self, depth: int) -> Any:
        token = self._next()
        if token.kind == "string":
            return self._string(token)
        if token.kind == "number":
            return _number(token.text)
        if token.kind == "name":
            return _BOOLS.get(token.text, Name(token.text))
        if token.text in ("{", "<"):
            return self.message("}" if token.text == "{" else ">", depth + 1)
        raise self._error("expected a value", token)

    def _string(self, token: _Token) -> str:
        """A string, and those that follow it: neighbours are one."""
        parts = [token.text]
        while self._token.kind == "string":
            parts.append(self._next().text)
        try:
            return b"".join(_ESCAPE.sub(_unescaped, part[1:-1].encode()) for part in parts).decode()
        except (UnicodeDecodeError, OverflowError, ValueError):
            raise self._error("a string that is not UTF-8", token) from None

    def _name(self) -> str:
        """A field's name; an extension's stands in brackets."""
        if not self._taken("["):
            if self._token.kind != "name":
                raise self._error("expected a field's name")
            return self._next().text
        parts = ["["]
        while parts[-1] != "]":
            if not self._token.text:
                raise self._error("expected ']'")
            parts.append(self._next().text)
        return "".join(parts)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    @property
    def _token_before(self) -> str:
        return self._tokens[self._at - 1].text

    def _next(self) -> _Token:
        token = self._token
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _taken(self, *marks: str) -> bool:
        """Whether the next token is one of the marks, which is then taken."""
        if self._token.kind == "mark" and self._token.text in marks:
            self._next()
            return True
        return False

    def _tokenised(self, text: str) -> Iterator[_Token]:
        at, line, start = 0, 1, 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            token = _Token(str(found.lastgroup) if found else "", found[0] if found else text[at], line, at - start + 1)
            if not found:
                raise self._error("expected a field", token)
            at = found.end()
            if token.kind == "newline":
                line, start = line + 1, at
            elif token.kind != "blank":
                yield token
        yield _Token("end", "", line, at - start + 1)

    def _error(self, expected: str, token: _Token | None = None) -> DataError:
        token = token or self._token
        found = f"found {token.text[:40]!r}" if token.text else "found the end"
        return DataError(f"{self._where}:{token.line}:{token.column}: {expected}; {found}")


def _number(text: str) -> int | float:
    if re.fullmatch(r"-?0[xX][0-9a-fA-F]+", text):
        return int(text, 16)
    if re.fullmatch(r"-?\d+", text):
        return int(text, 8 if re.fullmatch(r"-?0[0-7]+", text) else 10)
    return float(text if text.endswith(("inf", "infinity", "nan")) else text.rstrip("fF"))


def _unescaped(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, letter = found.groups()
    if octal or hexadecimal:
        return bytes([int(octal, 8) if octal else int(hexadecimal, 16)])
    if short or long:
        return chr(int(short or long, 16)).encode()
    return _LETTERS.get(letter, letter)
