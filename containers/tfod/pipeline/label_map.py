"""Label maps (`label_map.pbtxt`): class names and their ids, which count from 1."""

from collections.abc import Sequence
from pathlib import Path

from detection.files import write_text
from google.protobuf import text_format
from object_detection.protos.string_int_label_map_pb2 import StringIntLabelMap
from sagemaker_contract import UserError


def read(path: Path) -> list[str]:
    """Class names in the order of their ids. Raises UserError when these do not run from 1 without a gap."""
    try:
        items = text_format.Parse(path.read_text(encoding="utf-8"), StringIntLabelMap()).item
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(f"{path}: not a label map ({error})") from error
    names = {item.id: item.name or item.display_name for item in items}
    if len(names) != len(items) or sorted(names) != list(range(1, len(names) + 1)):
        ids = [item.id for item in items]
        raise UserError(f"{path}: the ids must run from 1 without a gap or a double, found {ids}")
    if len(set(names.values())) != len(names) or not all(names.values()):
        raise UserError(f"{path}: every item needs a name of its own")
    if not names:
        raise UserError(f"{path}: no item")
    return [names[number] for number in sorted(names)]


def write(path: Path, classes: Sequence[str]) -> None:
    """Write names and display names; whole or not at all."""
    label_map = StringIntLabelMap()
    for number, name in enumerate(classes, start=1):
        label_map.item.add(id=number, name=name, display_name=name)
    write_text(path, text_format.MessageToString(label_map, as_utf8=True))
