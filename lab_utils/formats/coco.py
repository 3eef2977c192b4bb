"""COCO's JSON: `images`, `annotations` with `bbox` [x, y, width, height] in pixels, `categories`.

Category ids may be sparse and start anywhere; here they become 0, 1, 2, ... in the order of the file's ids, and are
put back on writing. Segmentations are not kept; the area they cover is, for it decides what counts as a small object.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import atomic
from lab_utils.dataset import BOX_COLUMNS, IMAGE_COLUMNS, XYWH, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import number, records

_SECTIONS = ("images", "annotations", "categories")


def read(path: str | Path, images_dir: str | Path | None = None) -> DetectionDataset:
    """Read a COCO file, or a folder that holds exactly one.

    Args:
        path: the JSON file, or a folder with one in it or in its `annotations`.
        images_dir: folder of the images; None: beside the file, or where COCO's own layout has them.

    Returns:
        The data set, with `crowd` from `iscrowd`, `area` if the file has it, and images without annotations.

    Raises:
        DataError: not COCO's JSON; the message names the file and the entry.
    """
    file = _find(Path(path))
    content = _load(file)
    categories = sorted(content["categories"], key=lambda category: category["id"])
    ids = [category["id"] for category in categories]
    try:
        images = _frame(content["images"], list(IMAGE_COLUMNS)).rename(columns={"id": "image_id"})
        return DetectionDataset.from_frames(
            images.assign(source=file.name),
            _boxes(content["annotations"], {id_: i for i, id_ in enumerate(ids)}),
            [category["name"] for category in categories],
            root=_images_dir(file, images) if images_dir is None else images_dir,
            name=file.stem,
            category_ids=ids,
        )
    except DataError as error:
        raise DataError(f"{file}: {error}") from None


def info(path: str | Path) -> dict[str, Any]:
    """The file's `info`; empty where it has none.

    Raises:
        DataError: as `read`.
    """
    found = _load(Path(path)).get("info")
    return found if isinstance(found, dict) else {}


def write(dataset: DetectionDataset, path: str | Path) -> Path:
    """Write the data set as a COCO file; returns `path`. Coordinates are exact."""
    atomic.write_json(path, to_dict(dataset), indent=None)
    return Path(path)


def to_dict(dataset: DetectionDataset) -> dict[str, list[dict[str, Any]]]:
    """The data set as COCO's JSON object; annotation ids count from 1, for tools take 0 for none."""
    ids = dataset.category_ids or tuple(range(1, len(dataset.classes) + 1))
    return {
        "images": [_image(row) for row in records(dataset.images)],
        "annotations": [_annotation(id_, row, ids) for id_, row in enumerate(records(dataset.boxes), start=1)],
        "categories": [{"id": id_, "name": name} for id_, name in zip(ids, dataset.classes, strict=True)],
    }


def _find(path: Path) -> Path:
    if not path.is_dir():
        return path
    files = sorted([*path.glob("*.json"), *path.glob("annotations/*.json")])
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise DataError(f"{path}: expected one JSON file, found {found}; name the file")
    return files[0]


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    for section in _SECTIONS:
        if not isinstance(content, dict) or not isinstance(content.get(section), list):
            raise DataError(f"{file}: no list {section!r}; expected COCO's {', '.join(_SECTIONS)}")
    return content


def _frame(entries: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(entries) if entries else pd.DataFrame(columns=columns)


def _boxes(annotations: list[dict[str, Any]], class_of: dict[int, int]) -> pd.DataFrame:
    rows = [_box(row, entry, class_of) for row, entry in enumerate(annotations, start=1)]
    return _frame(rows, list(BOX_COLUMNS))


def _box(row: int, entry: dict[str, Any], class_of: dict[int, int]) -> dict[str, Any]:
    where = f"annotation {row} (id {entry.get('id')})"
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise DataError(f"{where}: bbox is {box!r}; expected [x, y, width, height]")
    if entry.get("category_id") not in class_of:
        raise DataError(f"{where}: unknown class: category_id {entry.get('category_id')!r} is not in categories")
    values = {
        "image_id": entry.get("image_id"),
        "class_id": class_of[entry["category_id"]],
        **dict(zip(XYWH, box, strict=True)),
        "difficult": bool(entry.get("difficult", entry.get("ignore", False))),
        "crowd": bool(entry.get("iscrowd", False)),
        "source_row": row,
    }
    return values | ({"area": float(entry["area"])} if "area" in entry else {})


def _images_dir(file: Path, images: pd.DataFrame) -> Path:
    """Beside the file, in `images`, or in the folder whose name ends the file's: instances_val2017 -> val2017."""
    parent = file.parent
    candidates = [parent, parent / "images", parent.parent / "images", parent.parent / file.stem.split("_")[-1]]
    if len(images) and "file_name" in images:
        first = str(images["file_name"].iloc[0])
        return next((folder for folder in candidates if (folder / first).is_file()), parent)
    return parent


def _image(row: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in row.items() if isinstance(v, str | int | float | bool) and v == v and v != ""}
    kept.pop("source", None)
    if kept.get("group") == row["file_name"]:
        del kept["group"]
    return {"id": kept.pop("image_id"), **kept}


def _annotation(id_: int, row: dict[str, Any], category_ids: Sequence[int]) -> dict[str, Any]:
    area = row.get("area", float("nan"))
    return {
        "id": id_,
        "image_id": row["image_id"],
        "category_id": category_ids[row["class_id"]],
        "bbox": [number(row[column]) for column in XYWH],
        "area": number(row["width"] * row["height"] if pd.isna(area) else area),
        "iscrowd": int(row["crowd"]),
        **({"difficult": 1} if row["difficult"] else {}),
    }
