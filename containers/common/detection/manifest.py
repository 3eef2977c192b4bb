"""Read augmented manifests (one JSON object a line) into detectron2's records."""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from sagemaker_contract import UserError

PICTURES = (".jpg", ".jpeg", ".png")
XYWH_ABS = 1  # detectron2.structures.BoxMode.XYWH_ABS, without importing detectron2 here


def read(path: Path, attribute: str | None = None) -> list[dict[str, Any]]:
    """The lines of a manifest as dicts with `source-ref`, `label` (may be None), `class_map` and `where`.

    Args: `attribute` is the label attribute, default the only one whose `-metadata` the line carries.
    Raises UserError naming file and line.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such manifest")
    lines = path.read_text(encoding="utf-8").splitlines()
    entries = [
        _entry(line, f"{path.name}, line {number}", attribute)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not entries:
        raise UserError(f"{path}: the manifest has no line")
    return entries


def class_names(manifests: Iterable[list[dict[str, Any]]]) -> list[str]:
    """The union of the manifests' class maps, in class-id order. Raises UserError when they disagree or have gaps."""
    names: dict[int, str] = {}
    for entry in (entry for entries in manifests for entry in entries):
        for key, name in entry["class_map"].items():
            if names.setdefault(int(key), name) != name:
                raise UserError(f"{entry['where']}: class {key} is {name!r}, elsewhere {names[int(key)]!r}")
    if sorted(names) != list(range(len(names))):
        raise UserError(f"class ids must run from 0 without a gap, found {sorted(names)}; pass --classes")
    if not names:
        raise UserError("the manifests have no class-map; pass --classes")
    return [names[class_id] for class_id in range(len(names))]


def records(entries: list[dict[str, Any]], folder: Path, classes: list[str]) -> list[dict[str, Any]]:
    """detectron2 records of the entries, whose pictures lie below `folder`; pictures without boxes stay."""
    return [_record(number, entry, folder, len(classes)) for number, entry in enumerate(entries)]


def find_picture(folder: Path, source: str, where: str) -> Path:
    """The longest suffix of `source` (s3://bucket/key or a path) that is a file below `folder`."""
    key = PurePosixPath(source.split("://", 1)[-1])
    if key.suffix.lower() not in PICTURES:
        raise UserError(f"{where}: {source} is not one of {', '.join(PICTURES)}")
    parts = [part for part in key.parts if part not in ("/", "..")]
    for start in range(len(parts)):
        candidate = folder.joinpath(*parts[start:])
        if candidate.is_file():
            return candidate
    raise UserError(f"{where}: no picture {source} in {folder}")


def _entry(line: str, where: str, attribute: str | None) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error})") from error
    if not isinstance(content, dict) or "source-ref" not in content:
        raise UserError(f"{where}: no source-ref")
    name = attribute or _only_attribute(content, where)
    if name not in content:
        raise UserError(f"{where}: no label attribute {name!r}, found {sorted(content)}")
    class_map = content.get(f"{name}-metadata", {}).get("class-map", {})
    return {"source-ref": content["source-ref"], "label": content[name], "class_map": class_map, "where": where}


def _only_attribute(content: dict[str, Any], where: str) -> str:
    suffix = "-metadata"
    found = [key.removesuffix(suffix) for key in content if key.endswith(suffix)]
    if len(found) != 1:
        raise UserError(f"{where}: expected one label attribute, found {found}; pass --label-attribute")
    return found[0]


def _record(number: int, entry: dict[str, Any], folder: Path, classes: int) -> dict[str, Any]:
    where, label = entry["where"], entry["label"]
    try:
        size = label["image_size"][0]
        width, height = int(size["width"]), int(size["height"])
        boxes = [_annotation(box, classes, where) for box in label["annotations"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{where}: not an object detection label ({type(error).__name__}: {error})") from error
    return {
        "file_name": str(find_picture(folder, entry["source-ref"], where)),
        "image_id": number,
        "width": width,
        "height": height,
        "annotations": boxes,
    }


def _annotation(box: dict[str, Any], classes: int, where: str) -> dict[str, Any]:
    left, top, width, height = (float(box[key]) for key in ("left", "top", "width", "height"))
    class_id = int(box["class_id"])
    if not 0 <= class_id < classes:
        raise UserError(f"{where}: unknown class {class_id}, expected 0 to {classes - 1}")
    if width <= 0 or height <= 0:
        raise UserError(f"{where}: box of width {width:g} and height {height:g}, expected above 0")
    return {"bbox": [left, top, width, height], "bbox_mode": XYWH_ABS, "category_id": class_id, "iscrowd": 0}
