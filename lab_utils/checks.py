"""The single checks that `validation.validate` runs; each yields problems and is linear in the data."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.pixels import Fingerprint, fingerprints

TOLERANCE = 1.0  # pixels a box may stand over the image's edge: tools disagree on whether corners count from 0 or 1


@dataclass(frozen=True)
class Problem:
    """One row of a report; see `validation.Report`."""

    severity: str
    code: str
    file: str
    row: int | None
    image_id: int | None
    message: str
    box: int | None = None


COLUMNS = [field.name for field in fields(Problem)]


def images(dataset: DetectionDataset) -> Iterator[Problem]:
    """Ids and file names that repeat, paths that lead out of the root, groups cut by the official split."""
    seen: dict[tuple[str, Hashable], str] = {}
    split_of: dict[str, str] = {}
    for row in _rows(dataset.images):
        path = PurePosixPath(row.file_name)
        for column in ("image_id", "file_name"):
            value = getattr(row, column)
            if (column, value) in seen:
                before = seen[column, value]
                yield _of_image(row, "error", f"duplicate-{column.replace('_', '-')}", f"{value} is also in {before}")
            seen.setdefault((column, value), _place(row))
        if path.is_absolute() or ".." in path.parts:
            yield _of_image(row, "error", "path-outside-root", f"{path} leads out of {dataset.root}")
        if row.split and split_of.setdefault(row.group, row.split) != row.split:
            message = f"group {row.group} is in splits {split_of[row.group]} and {row.split}"
            yield _of_image(row, "error", "leakage", message)


def boxes(dataset: DetectionDataset) -> Iterator[Problem]:
    """Boxes without area, off their image, of no image or no class, and boxes that repeat."""
    first = dataset.images.drop_duplicates("image_id").set_index("image_id")
    table = dataset.boxes.merge(first, "left", left_on="image_id", right_index=True, suffixes=("", "_of_image"))
    x, y, w, h = (table[column] for column in XYWH)
    over = np.max([-x, -y, x + w - table["width_of_image"], y + h - table["height_of_image"]], axis=0)
    orphan = table["file_name"].isna()
    empty = (w <= 0) | (h <= 0) | ~pd.Series(np.isfinite(table[XYWH].to_numpy()).all(axis=1), index=table.index)
    off = (x >= table["width_of_image"]) | (y >= table["height_of_image"]) | (x + w <= 0) | (y + h <= 0)
    edge = (over > TOLERANCE) & ~off & ~empty
    nameless = ~table["class_id"].between(0, len(dataset.classes) - 1)
    again = table.duplicated(["image_id", "class_id", *XYWH])
    yield from _of_boxes(table, orphan, "error", "orphan-box", "box {box} is of image {image_id}, which is not there")
    yield from _of_boxes(table, empty, "error", "degenerate-box", "box {box} has no area")
    yield from _of_boxes(table, off & ~empty, "error", "box-outside-image", "box {box} is outside {size}")
    yield from _of_boxes(table, edge, "warning", "box-over-edge", "box {box} stands over the edge of {size}")
    yield from _of_boxes(table, nameless, "error", "unknown-class", "class_id {class_id} has no name")
    yield from _of_boxes(table, again & ~empty, "warning", "duplicate-box", "box {box} occurs before")


def classes(dataset: DetectionDataset) -> Iterator[Problem]:
    """Names that repeat, and classes without boxes, which leave a gap in the class ids in use."""
    for class_id, name in enumerate(dataset.classes):
        if name in dataset.classes[:class_id]:
            yield Problem("error", "duplicate-class", "", None, None, f"class {class_id} is {name!r} once more")
    for name, count in zip(dataset.classes, dataset.class_counts(), strict=True):
        if not count:
            yield Problem("warning", "unused-class", "", None, None, f"class {name!r} has no boxes")


def pixels(dataset: DetectionDataset, progress: bool = True) -> Iterator[Problem]:
    """Files that are missing, broken, of another size than recorded, rotated by EXIF, or the same bytes."""
    paths = [dataset.root / file for file in dataset.images["file_name"]]
    found = fingerprints(paths, what="validate", progress=progress)
    before: dict[str, Any] = {}
    for row, path, result in zip(_rows(dataset.images), paths, found, strict=True):
        if isinstance(result, DataError):
            yield _of_image(row, "error", "unreadable-image" if path.exists() else "missing-image", str(result))
            continue
        yield from _pixel_problems(row, result)
        original = before.setdefault(result.sha256, row)
        if original is not row:
            yield from _duplicate(row, original)


def _pixel_problems(row: Any, found: Fingerprint) -> Iterator[Problem]:
    if found.size != (row.width, row.height):
        recorded = f"{row.width} x {row.height}"
        yield _of_image(row, "error", "wrong-size", f"recorded {recorded}, file is {found.size[0]} x {found.size[1]}")
    if found.orientation != 1:
        message = f"EXIF orientation {found.orientation}, not applied: boxes must be in the frame of the stored pixels"
        yield _of_image(row, "warning", "exif-orientation", message)


def _duplicate(row: Any, original: Any) -> Iterator[Problem]:
    yield _of_image(row, "warning", "duplicate-image", f"{row.file_name} is the same file as {original.file_name}")
    if row.split and original.split and row.split != original.split:
        message = f"{row.file_name} ({row.split}) is the same file as {original.file_name} ({original.split})"
        yield _of_image(row, "error", "leakage", message)


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    return frame.itertuples()


def _place(row: Any) -> str:
    return str(getattr(row, "source", row.file_name))


def _of_image(row: Any, severity: str, code: str, message: str) -> Problem:
    return Problem(severity, code, _place(row), None, row.image_id, message)


def _of_boxes(
    table: pd.DataFrame, bad: pd.Series | np.ndarray, severity: str, code: str, message: str
) -> Iterator[Problem]:
    for index, row in table[bad].iterrows():
        source = row.get("source", row["file_name"])
        box = [round(float(row[column]), 3) for column in XYWH]
        size = f"its image, {row['width_of_image']:.0f} x {row['height_of_image']:.0f}"
        text = message.format(box=box, size=size, image_id=row["image_id"], class_id=row["class_id"])
        place = int(row.get("source_row", index))
        file = "" if pd.isna(source) else str(source)
        yield Problem(severity, code, file, place, int(row["image_id"]), text, int(str(index)))
