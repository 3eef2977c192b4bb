"""TFOD's label map, `label_map.pbtxt`: an item for each class, with `id`, `name` and `display_name`; ids count from 1.

TFOD looks a box's `image/object/class/text` up under `name`, then under `display_name`; id 0 is its background. Format:
string_int_label_map.proto.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab_utils import atomic
from lab_utils.errors import DataError
from lab_utils.tfod import textproto


@dataclass(frozen=True)
class Item:
    """A class: its id, from 1, the name in the records, and the name to show ("": the same)."""

    id: int
    name: str
    display_name: str = ""


def numbered(classes: Iterable[str]) -> tuple[Item, ...]:
    """Items of class names, their ids 1, 2, 3, ..."""
    return tuple(Item(i, name, name) for i, name in enumerate(classes, start=1))


def write(path: str | Path, items: Iterable[Item]) -> Path:
    """Write a label map; returns `path`.

    Raises:
        DataError: an id below 1, an empty name, or one that repeats.
    """
    items = tuple(items)
    _check((f"{path}: item {row}", item) for row, item in enumerate(items, start=1))
    atomic.write_text(path, "\n".join(map(_text, items)))
    return Path(path)


def read(path: str | Path) -> tuple[Item, ...]:
    """Read a label map; the items in the order of their ids. An item without `name` is called as it is displayed.

    Raises:
        DataError: not a label map, an id that is missing, 0 or repeated, or a name that is; with file and line.
    """
    try:
        tree = textproto.parse(Path(path).read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    found = [(f"{path}:{field.line}", _item(field, f"{path}:{field.line}")) for field in tree.fields]
    if not found:
        raise DataError(f"{path}: no items; expected item {{ id: 1 name: 'NAME' }}")
    _check(found)
    return tuple(sorted((item for _, item in found), key=lambda item: item.id))


def _item(field: textproto.Field, where: str) -> Item:
    if field.name != "item" or not isinstance(field.value, textproto.Message):
        raise DataError(f"{where}: {field.name!r}; expected item {{ id: 1 name: 'NAME' }}")
    id_, shown = field.value.get("id"), field.value.get("display_name", "")
    name = field.value.get("name", "") or shown
    for key, value, kind in (("id", id_, int), ("name", name, str), ("display_name", shown, str)):
        if not isinstance(value, kind) or isinstance(value, textproto.Name | bool):
            expected = "an integer from 1" if kind is int else "a string in quotes"
            raise DataError(f"{where}: {key} is {'missing' if value is None else repr(value)}; expected {expected}")
    return Item(id_, name, shown)


def _check(items: Iterable[tuple[str, Item]]) -> None:
    before: dict[int | str, str] = {}
    for where, item in items:
        if item.id < 1:
            raise DataError(f"{where}: id {item.id} of {item.name!r}; ids count from 1, for 0 is the background")
        if not item.name:
            raise DataError(f"{where}: id {item.id} has no name; expected name: 'NAME'")
        for key, value in (("id", item.id), ("name", item.name)):
            if value in before:
                raise DataError(f"{where}: {key} {value!r} again; it is in {before[value]}, too")
            before[value] = where


def _text(item: Item) -> str:
    fields = [textproto.Field("id", item.id), textproto.Field("name", item.name)]
    fields += [textproto.Field("display_name", item.display_name)] if item.display_name else []
    return str(textproto.Message([textproto.Field("item", textproto.Message(fields))]))
