"""What a definition's values may be beside constants: references to others, joined strings, members of JSON files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local_sagemaker.pipelines.problems import Problem, check_list, check_object, check_text

GET, JOIN, JSON_GET = "Get", "Std:Join", "Std:JsonGet"
PROPERTY_FILES = "PropertyFiles"
_FUNCTIONS = (GET, JOIN, JSON_GET)
_TEXT = re.compile(r"(?P<root>Parameters|Execution|Steps)\.(?P<name>[A-Za-z0-9_-]+)(?P<path>.*)", re.DOTALL)
_TOKEN = re.compile(r"""\.?(?P<member>[\w:/-]+)|\[(?P<index>\d+)\]|\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]""")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Reference:
    """``Parameters.name``, ``Execution.name`` or ``Steps.name.path``."""

    root: str
    name: str
    path: Path
    text: str

    @property
    def is_property_file(self) -> bool:
        return self.root == "Steps" and self.path[0] == PROPERTY_FILES


class Scope(Protocol):
    """What references mean in one execution. Both raise Problem for what cannot be had."""

    def get(self, reference: Reference) -> Any: ...

    def read_json(self, source: Reference | str) -> Any:
        """The JSON document of a property file, or at an S3 URI."""


def is_function(value: Any) -> bool:
    """Whether a value stands for another one: {"Get": ...}, {"Std:Join": ...}, {"Std:JsonGet": ...}."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _FUNCTIONS


def parse_reference(text: Any) -> Reference:
    """The reference in a "Get". Raises Problem."""
    match = _TEXT.fullmatch(check_text(text, GET))
    if match is None:
        raise Problem(f"Invalid property reference '{text}'.")
    path = parse_path(match["path"], text)
    if (match["root"] == "Steps") != bool(path):
        raise Problem(f"Invalid property reference '{text}'.")
    return Reference(match["root"], match["name"], path, text)


def parse_path(text: str, shown: str | None = None) -> Path:
    """Members, indices and keys of a path such as ``a.b[0]['key']``. Raises Problem."""
    path: list[str | int] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Problem(f"Invalid path '{shown or text}'.")
        index = match["index"]
        path.append(int(index) if index is not None else match["member"] or match["key"])
        position = match.end()
    return tuple(path)


def references_in(value: Any) -> Iterator[Reference]:
    """Every reference inside a value. Raises Problem for a malformed function."""
    if is_function(value):
        yield from _references_of(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from references_in(item)


def _references_of(function: dict[str, Any]) -> Iterator[Reference]:
    (name, body), *_ = function.items()
    if name == GET:
        yield parse_reference(body)
    elif name == JOIN:
        yield from references_in(_join(body)[1])
    else:
        source, _ = _json_get(body)
        yield from [source] if isinstance(source, Reference) else references_in(source)


def resolve(value: Any, scope: Scope) -> Any:
    """``value`` with every function in it replaced by what it stands for. Raises Problem."""
    if is_function(value):
        return _evaluate(value, scope)
    if isinstance(value, dict):
        return {name: resolve(item, scope) for name, item in value.items()}
    return [resolve(item, scope) for item in value] if isinstance(value, list) else value


def _evaluate(function: dict[str, Any], scope: Scope) -> Any:
    (name, body), *_ = function.items()
    if name == GET:
        return scope.get(parse_reference(body))
    if name == JOIN:
        separator, values = _join(body)
        return separator.join(as_text(resolve(item, scope)) for item in values)
    source, path = _json_get(body)
    document = scope.read_json(source if isinstance(source, Reference) else resolve(source, scope))
    try:
        return follow(document, path)
    except Problem as problem:
        shown = source.text if isinstance(source, Reference) else "the S3Uri"
        raise Problem(f"Std:JsonGet of {shown}: {problem}") from problem


def _join(body: Any) -> tuple[str, list[Any]]:
    members = check_object(body, ("On", "Values"), ("Values",))
    return check_text(members.get("On", ""), "On"), check_list(members["Values"])


def _json_get(body: Any) -> tuple[Reference | Any, Path]:
    """The source (a property file's reference, or the value of an S3 URI) and the path in its document."""
    members = check_object(body, ("PropertyFile", "S3Uri", "Path"), ("Path",))
    path = parse_path(check_text(members["Path"], "Path").removeprefix("$"))
    if ("PropertyFile" in members) == ("S3Uri" in members):
        raise Problem("Std:JsonGet needs a PropertyFile or an S3Uri, and not both.")
    if "S3Uri" in members:
        return members["S3Uri"], path
    reference = parse_reference(check_object(members["PropertyFile"], (GET,), (GET,))[GET])
    if not reference.is_property_file or len(reference.path) != 2:
        raise Problem(f"PropertyFile '{reference.text}' is not of the form Steps.<step>.PropertyFiles.<name>.")
    return reference, path


def as_text(value: Any) -> str:
    """A value inside a joined string. Raises Problem for a list or an object."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise Problem(f"Std:Join cannot join {value!r:.60}.")
    return str(value)


def follow(value: Any, path: Sequence[str | int]) -> Any:
    """What lies at ``path`` inside ``value``; a key of a list finds the item of that name. Raises Problem."""
    for token in path:
        if isinstance(value, dict) and str(token) in value:
            value = value[str(token)]
        elif isinstance(value, list) and isinstance(token, int) and token < len(value):
            value = value[token]
        elif isinstance(value, list) and (named := _named(value, token)) is not None:
            value = named
        else:
            raise Problem(f"there is no {token!r}.")
    return value


def _named(items: list[Any], name: str | int) -> Any:
    """The structure in a list with a member such as OutputName or ChannelName of this value."""
    structures = (item for item in items if isinstance(item, dict))
    return next((item for item in structures for key, v in item.items() if key.endswith("Name") and v == name), None)
