"""CSV as the tutorials of TFOD write it: `filename,width,height,class,xmin,ymin,xmax,ymax`, a row a box, in pixels.

What those files cannot say is said where it occurs: an image without objects has a row without class and corners, and
further columns `group`, `split`, `difficult` and `crowd` follow. Columns are found by their names, in any order; the
separator may be a semicolon.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import atomic, pixels
from lab_utils.dataset import BOX_COLUMNS, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import boxes_by_image, class_ids, images_beside, number, records

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
_SIDES = COLUMNS[4:]
_FLAGS = ("difficult", "crowd")


def read(
    path: str | Path, images_dir: str | Path | None = None, *, classes: Iterable[str] | None = None
) -> DetectionDataset:
    """Read a CSV file.

    Args:
        path: the file. Without columns `width` and `height`, or where they are 0, the image files are asked.
        images_dir: folder of the images; None: the file's own, `images` or `JPEGImages` in it, whichever has them.
        classes: class names in `class_id` order; None: those that occur, sorted.

    Raises:
        DataError: a column is missing, a value is none, or a file's rows contradict each other; with file and line.
    """
    path = Path(path)
    rows = list(_rows(path))
    if not rows:
        raise DataError(f"{path}: no rows; expected a header and a row a box")
    root = Path(images_dir) if images_dir else images_beside(path, rows[0][1]["filename"])
    images: dict[str, dict[str, Any]] = {}
    boxes: list[dict[str, Any]] = []
    for line, row in rows:
        image = _image(row, f"{path}:{line}", images, root)
        if any(row[column] for column in ("class", *_SIDES)):
            boxes.append({"image_id": image["image_id"], "source_row": line, **_box(row, f"{path}:{line}")})
    ids, names = class_ids(
        [box.pop("class") for box in boxes],
        None if classes is None else list(classes),
        [f"{path}:{box['source_row']}" for box in boxes],
    )
    frame = pd.DataFrame(boxes, columns=None if boxes else list(BOX_COLUMNS)).assign(class_id=ids)
    table = pd.DataFrame(images.values()).assign(source=path.name)
    return DetectionDataset.from_frames(table, frame, names, root=root, name=path.stem)


def write(dataset: DetectionDataset, path: str | Path) -> Path:
    """Write the data set; returns `path`. Coordinates are exact."""
    boxes_of = boxes_by_image(dataset)
    grouped = (dataset.images["group"] != dataset.images["file_name"]).any()
    further = ["group"] * bool(grouped) + ["split"] * bool((dataset.images["split"] != "").any())
    flags = [flag for flag in _FLAGS if dataset.boxes[flag].any()]
    with atomic.open_atomic(path, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *further, *flags])
        for image in records(dataset.images):
            start = [image["file_name"], image["width"], image["height"]]
            rest = [image[column] for column in further]
            for box in boxes_of[image["image_id"]]:
                writer.writerow([*start, *_values(box, dataset.classes), *rest, *(int(box[flag]) for flag in flags)])
            if not boxes_of[image["image_id"]]:
                writer.writerow([*start, *[""] * 5, *rest, *[""] * len(flags)])
    return Path(path)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and values of each row that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            names = [name.strip() for name in next(csv.reader([header], delimiter=_separator(header)), [])]
            if missing := [name for name in ("filename", "class", *_SIDES) if name not in names]:
                raise DataError(f"{path}:1: no column {missing[0]!r}; expected {','.join(COLUMNS)}")
            reader = csv.reader(file, delimiter=_separator(header))
            for values in reader:
                line = reader.line_num + 1
                if len(values) not in (0, len(names)):
                    raise DataError(f"{path}:{line}: {len(values)} values; the header has {len(names)} columns")
                if values:
                    yield line, dict(zip(names, map(str.strip, values), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _separator(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","


def _image(row: dict[str, str], where: str, images: dict[str, dict[str, Any]], root: Path) -> dict[str, Any]:
    """The image's row of the table, made where this is the first one of it."""
    name = row["filename"]
    if not name:
        raise DataError(f"{where}: column 'filename' is empty")
    width, height = (int(_number(row.get(side) or "0", side, where)) for side in ("width", "height"))
    if name not in images:
        if not (width and height):
            width, height = pixels.stored_size(root / name)
        images[name] = {"image_id": len(images) + 1, "file_name": name, "width": width, "height": height}
        images[name] |= {column: row.get(column, "") for column in ("group", "split")}
    image = images[name]
    if (width, height) not in ((0, 0), (image["width"], image["height"])):
        raise DataError(f"{where}: {name} is {width} x {height} here, {image['width']} x {image['height']} before")
    return image


def _box(row: dict[str, str], where: str) -> dict[str, Any]:
    if not row["class"]:
        raise DataError(
            f"{where}: column 'class' is empty; expected a name, or no corners for an image without objects"
        )
    xmin, ymin, xmax, ymax = (_number(row[side], side, where) for side in _SIDES)
    flags = {flag: row.get(flag, "") in ("1", "True", "true") for flag in _FLAGS}
    return {"class": row["class"], "xmin": xmin, "ymin": ymin, "width": xmax - xmin, "height": ymax - ymin, **flags}


def _number(text: str, column: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{where}: column {column!r} is {text!r}; expected a number of pixels") from None


def _values(box: dict[str, Any], classes: tuple[str, ...]) -> list[Any]:
    corners = (box["xmin"], box["ymin"], box["xmin"] + box["width"], box["ymin"] + box["height"])
    return [classes[box["class_id"]], *map(number, corners)]
