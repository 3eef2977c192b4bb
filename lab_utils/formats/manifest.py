"""Augmented manifests as SageMaker Ground Truth writes them: JSON Lines, one image a line.

A line holds `source-ref` (the image's URI), the label attribute with `image_size` and `annotations` (`class_id`, `top`,
`left`, `height`, `width` in pixels, which may be fractional), and `<attribute>-metadata`. Format: "Output data" of a
bounding-box job in Ground Truth's documentation. A line whose `annotations` are empty is a negative.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import atomic
from lab_utils.dataset import BOX_COLUMNS, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import boxes_by_image, number, records

TYPE = "groundtruth/object-detection"
_TYPES = {TYPE, "groundtruth/object_detection"}  # the second is how an example of the documentation spells it
_SIDES = {"top": "ymin", "left": "xmin", "height": "height", "width": "width"}


def read(
    path: str | Path,
    attribute: str | None = None,
    root: str | Path | None = None,
    source_prefix: str | None = None,
) -> DetectionDataset:
    """Read an augmented manifest; the images need not be there.

    Args:
        path: the manifest.
        attribute: label attribute; None: the one whose metadata says it holds boxes.
        root: folder of the images; None: the manifest's own.
        source_prefix: URI that `root` stands for; None: the folder that all images have in common.

    Returns:
        The data set. `image_id` is the line number, `file_name` the URI below the prefix; `source_ref`, `depth`,
        `metadata`, `attributes` (the line's other keys) and the boxes' `confidence` serve `write`.

    Raises:
        DataError: a line is malformed; the message is `path:LINE: ...`.
        ConfigError: several attributes hold boxes and none was named.
    """
    path = Path(path)
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    names: dict[int, str] = {}
    for where, line, record in _lines(path):
        attribute = attribute or _detect(record, where)
        image, found, class_map = _parse(record, attribute, where)
        images.append({"image_id": line, "source": f"{path.name}:{line}", **image})
        boxes += [{"image_id": line, **box} for box in found]
        for class_id, name in class_map.items():
            if names.setdefault(class_id, name) != name:
                raise DataError(f"{where}: class {class_id} is {name!r} here, {names[class_id]!r} in a line before")
    if not images:
        raise DataError(f"{path}: empty; expected one JSON object a line")
    ids = sorted(names)
    prefix = _common_folder([i["source_ref"] for i in images]) if source_prefix is None else source_prefix
    image_frame = pd.DataFrame(images)
    image_frame["file_name"] = [_file_name(prefix, i["source_ref"], f"{path}:{i['image_id']}") for i in images]
    box_frame = pd.DataFrame(boxes, columns=None if boxes else list(BOX_COLUMNS))
    box_frame["class_id"] = box_frame["class_id"].map({class_id: i for i, class_id in enumerate(ids)})
    default_root = Path(prefix) if prefix.startswith("/") else path.parent
    return DetectionDataset.from_frames(
        image_frame,
        box_frame,
        [names[class_id] for class_id in ids],
        root=default_root if root is None else root,
        name=path.stem,
        category_ids=ids,
    )


def write(
    dataset: DetectionDataset,
    path: str | Path,
    *,
    attribute: str,
    source_prefix: str | None = None,
    job_name: str | None = None,
    human_annotated: bool = True,
    creation_date: datetime | None = None,
) -> Path:
    """Write the data set as an augmented manifest; returns `path`.

    With a `source_prefix` the images are the files below it, and class ids count from 0 without gaps, as SageMaker's
    algorithms demand. Without one, a manifest that was read is written back as it was, sparse ids included.

    A group goes to the line's key `group`, a set `difficult` or `crowd` flag to the annotation: Ground Truth has no
    place for them, and readers that do not know them pass them over.

    Args:
        attribute: label attribute.
        source_prefix: URI or folder that stands for `dataset.root`.
        job_name: labelling job in the metadata, e.g. "labeling-job/signals"; None: the one read, else `attribute`.
        human_annotated: for images that were not read from a manifest.
        creation_date: likewise; None: now.

    Raises:
        ConfigError: no `source_prefix`, and the images did not come from a manifest.
    """
    if source_prefix is None and "source_ref" not in dataset.images:
        raise ConfigError("source_prefix: missing; the data set was not read from a manifest")
    as_read = source_prefix is None and bool(dataset.category_ids)
    ids = dataset.category_ids if as_read else tuple(range(len(dataset.classes)))
    fresh = {
        "class-map": {str(id_): name for id_, name in zip(ids, dataset.classes, strict=True)},
        "type": TYPE,
        "human-annotated": "yes" if human_annotated else "no",
        "creation-date": (creation_date or datetime.now(UTC)).replace(tzinfo=None).isoformat(),
        "job-name": f"labeling-job/{attribute}",
    }
    boxes_of = boxes_by_image(dataset)
    with atomic.open_atomic(path, newline="\n") as file:
        for image in records(dataset.images):
            metadata = _metadata(image, fresh, as_read, job_name)
            boxes = boxes_of[image["image_id"]]
            source = (
                image["source_ref"] if source_prefix is None else f"{source_prefix.rstrip('/')}/{image['file_name']}"
            )
            record = {"source-ref": source, **_label(image, boxes, ids, attribute, metadata), **_others(image)}
            file.write(json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n")
    return Path(path)


def _lines(path: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Place, line number and object of each line that is not blank."""
    try:
        with path.open(encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield f"{path}:{line}", line, _json_object(text, f"{path}:{line}")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _json_object(text: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(record, dict) or not isinstance(record.get("source-ref"), str):
        raise DataError(f"{where}: no 'source-ref'; expected an object with the image's URI under that key")
    return record


def _detect(record: dict[str, Any], where: str) -> str:
    found = [
        key
        for key in record
        if isinstance(metadata := record.get(f"{key}-metadata"), dict) and metadata.get("type") in _TYPES
    ]
    if len(found) > 1:
        raise ConfigError(f"{where}: boxes under {' and '.join(found)}; name one with attribute=")
    if not found:
        raise DataError(f"{where}: no label attribute; expected a key with '<key>-metadata' of type {TYPE!r}")
    return found[0]


def _parse(
    record: dict[str, Any], attribute: str, where: str
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[int, str]]:
    """The image's row, its boxes' rows and the class map of one line."""
    name = f"{attribute}-metadata"
    label = _expect(record, attribute, dict, where)
    metadata = dict(_expect(record, name, dict, where))
    class_map = _class_map(metadata, f"{where}: {name}")
    annotations = _expect(label, "annotations", list, f"{where}: {attribute}")
    boxes = [_box(a, class_map, f"{where}: annotation {i}") | {"source_row": i} for i, a in enumerate(annotations, 1)]
    objects = metadata.get("objects")
    if isinstance(objects, list) and len(objects) == len(boxes) and all(o.keys() == {"confidence"} for o in objects):
        del metadata["objects"]  # they live in the boxes' column, so that a box can be dropped
        for box, entry in zip(boxes, objects, strict=True):
            box["confidence"] = entry["confidence"]
    image = {"source_ref": record["source-ref"], **_size(label, f"{where}: {attribute}"), "metadata": metadata}
    image["group"] = record.get("group", "")
    others = {k: v for k, v in record.items() if k not in {"source-ref", attribute, name, "group"}}
    return image | ({"attributes": others} if others else {}), boxes, class_map


def _class_map(metadata: dict[str, Any], where: str) -> dict[int, str]:
    names = _expect(metadata, "class-map", dict, where)
    if not all(id_.isdecimal() and isinstance(name, str) for id_, name in names.items()):
        raise DataError(f'{where}: \'class-map\': expected class ids and names, {{"0": "signal"}}, found {names!r}')
    return {int(id_): name for id_, name in names.items()}


def _expect(record: dict[str, Any], key: str, kind: type, where: str) -> Any:
    if not isinstance(record.get(key), kind):
        names: dict[type, str] = {dict: "an object", list: "a list (empty for an image without objects)"}
        found = repr(record[key]) if key in record else "nothing"
        raise DataError(f"{where}: {key!r}: expected {names[kind]}, found {found}")
    return record[key]


def _size(label: dict[str, Any], where: str) -> dict[str, int]:
    sizes = _expect(label, "image_size", list, where)
    try:
        return {"width": sizes[0]["width"], "height": sizes[0]["height"], "depth": sizes[0].get("depth", 3)}
    except (IndexError, KeyError, TypeError, AttributeError):
        raise DataError(f"{where}: 'image_size': expected [{{width, height, depth}}], found {sizes!r}") from None


def _box(annotation: dict[str, Any], class_map: dict[int, str], where: str) -> dict[str, Any]:
    try:
        box: dict[str, Any] = {column: float(annotation[side]) for side, column in _SIDES.items()}
        class_id = annotation["class_id"]
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{where}: expected numbers class_id, {', '.join(_SIDES)}; found {annotation!r}") from None
    if class_id not in class_map:
        raise DataError(f"{where}: unknown class: class_id {class_id!r} is not in the line's class-map")
    flags = {flag: bool(annotation.get(flag, False)) for flag in ("difficult", "crowd")}
    return {"class_id": class_id, **box, **flags}


def _common_folder(uris: list[str]) -> str:
    """What all URIs have in common, up to a slash; nothing for relative paths, which stand for themselves."""
    if not all("://" in uri or uri.startswith("/") for uri in uris):
        return ""
    first, last = min(uris).split("/")[:-1], max(uris).split("/")[:-1]
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return "/".join(first[:same]) + "/"


def _file_name(prefix: str, source_ref: str, where: str) -> str:
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    if not source_ref.startswith(folder):
        raise DataError(f"{where}: source-ref {source_ref!r} is not below {prefix!r}")
    return source_ref.removeprefix(folder)


def _metadata(image: dict[str, Any], fresh: dict[str, Any], as_read: bool, job_name: str | None) -> dict[str, Any]:
    known = image.get("metadata")
    metadata = dict(known if isinstance(known, dict) else fresh)
    if not as_read:
        metadata["class-map"] = fresh["class-map"]
    if job_name is not None:
        metadata.pop("job_name", None)  # how older tools spelt it
        metadata["job-name"] = job_name
    return metadata


def _label(
    image: dict[str, Any],
    boxes: list[dict[str, Any]],
    ids: tuple[int, ...],
    attribute: str,
    metadata: dict[str, Any],
) -> dict[str, Any]:
    depth = image.get("depth", 3)
    size = {"width": image["width"], "height": image["height"], "depth": depth if depth == depth else 3}
    objects = [{"confidence": c if (c := box.get("confidence", 0.0)) == c else 0.0} for box in boxes]
    return {
        attribute: {"image_size": [size], "annotations": [_annotation(box, ids) for box in boxes]},
        f"{attribute}-metadata": {"objects": objects, **metadata},
    }


def _annotation(box: dict[str, Any], ids: tuple[int, ...]) -> dict[str, Any]:
    sides = {side: number(box[column]) for side, column in _SIDES.items()}
    return {"class_id": ids[box["class_id"]], **sides, **{f: True for f in ("difficult", "crowd") if box[f]}}


def _others(image: dict[str, Any]) -> dict[str, Any]:
    others = image.get("attributes")
    group = {"group": image["group"]} if image["group"] != image["file_name"] else {}
    return (others if isinstance(others, dict) else {}) | group
