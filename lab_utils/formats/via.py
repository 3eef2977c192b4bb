"""JSON of the VGG Image Annotator (VIA) 1 and 2: a project, or its exported annotations.

An image's `regions` have `shape_attributes` (a rectangle, or another shape, whose bounding box counts) and
`region_attributes`, one of which is the class. VIA does not record the images' sizes: the files are asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import atomic, pixels
from lab_utils.dataset import BOX_COLUMNS, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import boxes_by_image, class_ids, images_beside, number, records

ATTRIBUTE = "class"
_FLAGS = ("difficult", "crowd")
_SHAPES: dict[str, Callable[[dict[str, Any]], tuple[float, float, float, float]]] = {  # x, y, width, height
    "rect": lambda s: (s["x"], s["y"], s["width"], s["height"]),
    "polygon": lambda s: _around(s["all_points_x"], s["all_points_y"]),
    "polyline": lambda s: _around(s["all_points_x"], s["all_points_y"]),
    "circle": lambda s: (s["cx"] - s["r"], s["cy"] - s["r"], 2 * s["r"], 2 * s["r"]),
    "ellipse": lambda s: (s["cx"] - s["rx"], s["cy"] - s["ry"], 2 * s["rx"], 2 * s["ry"]),
}


def read(
    path: str | Path,
    images_dir: str | Path | None = None,
    *,
    attribute: str | None = None,
    classes: Iterable[str] | None = None,
) -> DetectionDataset:
    """Read a VIA file; its images must be there.

    Args:
        path: the JSON file.
        images_dir: folder of the images; None: the file's own, `images` or `JPEGImages` in it, whichever has them.
        attribute: region attribute that is the class; None: `class`, or the only one there is.
        classes: class names in `class_id` order; None: those that occur, sorted.

    Raises:
        DataError: the file is malformed, a region has no class, or an image is missing.
        ConfigError: several region attributes, none is `class`, and none was named.
    """
    path = Path(path)
    entries = _load(path)
    attribute = attribute or _detect(entries, path)
    root = Path(images_dir) if images_dir else images_beside(path, str(next(iter(entries.values()))["filename"]))
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for image_id, (key, entry) in enumerate(entries.items(), start=1):
        images.append({"image_id": image_id, **_image(entry, root), "source": path.name})
        for row, region in enumerate(_regions(entry), start=1):
            box = _box(region, attribute, f"{path}: {key}: region {row}")
            boxes.append({"image_id": image_id, "source_row": row, **box})
    places = [f"{path}: {images[box['image_id'] - 1]['file_name']}: region {box['source_row']}" for box in boxes]
    ids, names = class_ids([box.pop("class") for box in boxes], None if classes is None else list(classes), places)
    frame = pd.DataFrame(boxes, columns=None if boxes else list(BOX_COLUMNS)).assign(class_id=ids)
    return DetectionDataset.from_frames(pd.DataFrame(images), frame, names, root=root, name=path.stem)


def write(dataset: DetectionDataset, path: str | Path) -> Path:
    """Write the annotations as VIA 2 exports them; returns `path`. Groups and flags become attributes."""
    boxes_of = boxes_by_image(dataset)
    entries = {}
    for image in records(dataset.images):
        file = dataset.root / image["file_name"]
        size = file.stat().st_size if file.is_file() else -1
        group = {"group": image["group"]} if image["group"] != image["file_name"] else {}
        regions = [_region(box, dataset.classes) for box in boxes_of[image["image_id"]]]
        entry = {"filename": image["file_name"], "size": size, "regions": regions, "file_attributes": group}
        entries[f"{image['file_name']}{size}"] = entry
    atomic.write_json(path, entries, indent=None)
    return Path(path)


def _load(path: Path) -> dict[str, dict[str, Any]]:
    """The images' entries by their keys."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    entries = content.get("_via_img_metadata", content) if isinstance(content, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise DataError(f"{path}: no images; expected VIA's object with an entry for each image")
    for key, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("filename"), str) or "regions" not in entry:
            hint = " (VIA 3 has another format: export from VIA 2)" if key in ("project", "config", "file") else ""
            raise DataError(f"{path}: {key}: expected an image with 'filename' and 'regions'{hint}")
    return entries


def _regions(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """VIA 2 has a list of regions, VIA 1 an object."""
    regions = entry["regions"]
    yield from regions.values() if isinstance(regions, dict) else regions or []


def _detect(entries: dict[str, dict[str, Any]], path: Path) -> str:
    found = {
        name
        for entry in entries.values()
        for region in _regions(entry)
        for name in (region.get("region_attributes") or {} if isinstance(region, dict) else {})
    }
    if ATTRIBUTE in found or not found:
        return ATTRIBUTE
    names = sorted(found - set(_FLAGS))
    if len(names) != 1:
        raise ConfigError(f"{path}: region attributes {', '.join(names)}; name the one that is the class: attribute=")
    return names[0]


def _image(entry: dict[str, Any], root: Path) -> dict[str, Any]:
    width, height = pixels.stored_size(root / entry["filename"])
    group = (entry.get("file_attributes") or {}).get("group", "")
    return {"file_name": entry["filename"], "width": width, "height": height, "group": group}


def _box(region: dict[str, Any], attribute: str, where: str) -> dict[str, Any]:
    try:
        shape, attributes = region["shape_attributes"], region.get("region_attributes") or {}
        if shape["name"] not in _SHAPES:
            raise DataError(f"{where}: a {shape['name']}; expected one of {', '.join(_SHAPES)}")
        xmin, ymin, width, height = map(float, _SHAPES[shape["name"]](shape))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{where}: expected 'shape_attributes' with name, x, y, width, height in pixels") from None
    name = attributes.get(attribute)
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"{where}: region attribute {attribute!r} is {name!r}; expected the name of a class")
    flags = {flag: attributes.get(flag) in (True, "1", "true") for flag in _FLAGS}
    return {"class": name.strip(), "xmin": xmin, "ymin": ymin, "width": width, "height": height, **flags}


def _around(x: list[float], y: list[float]) -> tuple[float, float, float, float]:
    return min(x), min(y), max(x) - min(x), max(y) - min(y)


def _region(box: dict[str, Any], classes: tuple[str, ...]) -> dict[str, Any]:
    sides = {"x": box["xmin"], "y": box["ymin"], "width": box["width"], "height": box["height"]}
    shape = {"name": "rect", **{side: number(value) for side, value in sides.items()}}
    flags = {flag: "1" for flag in _FLAGS if box[flag]}
    return {"shape_attributes": shape, "region_attributes": {ATTRIBUTE: classes[box["class_id"]], **flags}}
