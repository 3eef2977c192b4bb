"""Properties of a resource: which there are, of which type, and their values in a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape

OPEN = "open"
"""The type of properties below a map, whose values are numbers or text."""
STRUCTURE = "structure"
_OPEN_GROUPS = frozenset({"Tags", "Metrics"})  # lists in the model, but addressed by key
_NUMBERS = frozenset({"integer", "long", "float", "double"})


def type_of(shape: Shape, name: str) -> str | None:
    """The type of the property ``name`` ("string", "number", "timestamp", "boolean", OPEN or STRUCTURE).

    None when resources of this shape have no such property.
    """
    first, dot, _ = name.partition(".")
    if first in _OPEN_GROUPS and dot:
        return OPEN
    return _type(shape, name.split("."))


def _type(shape: Shape, parts: list[str]) -> str | None:
    if shape.type_name == "list":
        return _type(shape.member, parts)
    if shape.type_name == "map" and parts:
        return OPEN
    if shape.type_name == "structure" and parts:
        member = shape.members.get(parts[0])
        return None if member is None else _type(member, parts[1:])
    if parts:
        return None
    if shape.type_name in ("structure", "map"):
        return STRUCTURE
    return "number" if shape.type_name in _NUMBERS else shape.type_name


def values(value: Any, name: str) -> list[Any]:
    """What a record holds under a dotted name; lists on the way stand for each of their items.

    Keys of maps may have dots themselves: the longest key that is there counts.
    """
    if isinstance(value, list):
        return [found for item in value for found in values(item, name)]
    if not name:
        return [] if value is None else [value]
    if not isinstance(value, dict):
        return []
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        key = ".".join(parts[:end])
        if key in value:
            return values(value[key], ".".join(parts[end:]))
    return []


def names(shape: Shape, views: list[Mapping[str, Any]]) -> set[str]:
    """The properties of a shape; below maps, those that the resources have."""
    found = set(_names(shape, views, ()))
    return {name for name in found if name.partition(".")[0] not in _OPEN_GROUPS} | {
        f"{group}.{key}" for group in _OPEN_GROUPS for view in views for key in _keys(view.get(group))
    }


def _names(shape: Shape, views: list[Mapping[str, Any]], path: tuple[str, ...]) -> Iterator[str]:
    if shape.type_name == "list":
        yield from _names(shape.member, views, path)
    elif shape.type_name == "map":
        for view in views:
            for item in values(dict(view), ".".join(path)):
                yield from (".".join((*path, key)) for key in _keys(item))
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            if name not in path:  # a shape may hold itself
                yield from _names(member, views, (*path, name))
    else:
        yield ".".join(path)


def _keys(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []
