"""LISA Traffic Signs: `allAnnotations.csv`, a row a sign, and PNG frames below it, some of them grayscale.

The header mixes separators, `...;Occluded,On another road;Origin file;...`, and so do the rows: they are split at both.
Frames come in tracks of about 30, cut out of drives; a sign is in every frame of its track. `negatives/` has frames
without signs. The files of LISA Traffic Lights, which have no such mixture, are read, too. Set: Møgelmose, Trivedi and
Moeslund, "Vision-Based Traffic Sign Detection and Analysis for Intelligent Driver Assistance Systems", IEEE T-ITS 2012.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import atomic, pixels
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import class_ids, number, records

ANNOTATIONS, NEGATIVES = "allAnnotations.csv", "negatives"
HEADER = (
    "Filename;Annotation tag;Upper left corner X;Upper left corner Y;Lower right corner X;Lower right corner Y;"
    "Occluded,On another road;Origin file;Origin frame number;Origin track;Origin track frame number"
)
_NAMES = re.split("[;,]", HEADER)
_OPTIONAL = {"Occluded", "On another road"}  # which the traffic lights do not have
_FLAGS = {"Occluded": "occluded", "On another road": "on_another_road"}


def read(
    path: str | Path, images_dir: str | Path | None = None, *, classes: Iterable[str] | None = None
) -> DetectionDataset:
    """Read LISA's annotations, and the frames of `negatives`; the images must be there, for their sizes.

    A frame's `group` is its "Origin track"; tracks that overlap in the same drive are one group, for they show the same
    street. Boxes keep `occluded` and `on_another_road`; images `origin_file`, `origin_frame` and `track_frame`.

    Args:
        path: the folder, or a CSV file of that format.
        images_dir: folder that the file names start from; None: the CSV file's own.
        classes: tags in `class_id` order; None: those that occur, sorted.

    Raises:
        DataError: a column is missing, a row is malformed, or an image is not there; with file and line.
    """
    file = Path(path) / ANNOTATIONS if Path(path).is_dir() else Path(path)
    root = Path(images_dir) if images_dir else file.parent
    rows = pd.DataFrame(_rows(file))
    if rows.empty:
        raise DataError(f"{file}: no rows; expected one a sign")
    rows["image_id"] = rows.groupby("file_name", sort=False).ngroup() + 1
    rows["group"] = _groups(rows)
    columns = ["image_id", "file_name", "group", "origin_file", "origin_frame", "track_frame"]
    images = rows.drop_duplicates("image_id")[columns].assign(source=file.name)
    images = pd.concat([images, _negatives(root, len(images) + 1)], ignore_index=True)
    images[["width", "height"]] = [pixels.stored_size(root / name) for name in images["file_name"]]
    where = [f"{file}:{line}" for line in rows["source_row"]]
    rows["class_id"], names = class_ids(rows["tag"].tolist(), None if classes is None else list(classes), where)
    boxes = rows.drop(columns=[*columns[1:], "tag", "track"])
    return DetectionDataset.from_frames(images, boxes, names, root=root, name=file.resolve().parent.name)


def write(dataset: DetectionDataset, root: str | Path) -> Path:
    """Write `allAnnotations.csv` below `root`, as LISA's own; returns its path.

    Raises:
        DataError: an image without signs is not below `negatives`: the format has no row for it.
    """
    image_of = {image["image_id"]: image for image in records(dataset.images)}
    signs = set(dataset.boxes["image_id"])
    for image_id, image in image_of.items():
        if image_id not in signs and not image["file_name"].startswith(f"{NEGATIVES}/"):
            raise DataError(
                f"{image['file_name']}: no signs; put such images below {NEGATIVES}/, the CSV cannot name them"
            )
    lines = [_line(image_of[box["image_id"]], box, dataset.classes) for box in records(dataset.boxes)]
    atomic.write_text(Path(root) / ANNOTATIONS, "\n".join([HEADER, *lines]) + "\n")
    return Path(root) / ANNOTATIONS


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    names = [name.strip() for name in re.split("[;,]", lines[0] if lines else "")]
    missing = [name for name in _NAMES if name not in names and name not in _OPTIONAL]
    if missing:
        raise DataError(f"{file}:1: no column {missing[0]!r}; expected {HEADER}")
    for line, text in enumerate(lines[1:], start=2):
        values = re.split("[;,]", text)
        if text.strip():
            if len(values) < len(names):
                raise DataError(f"{file}:{line}: {len(values)} values; the header has {len(names)} columns")
            yield _row(dict(zip(names, values, strict=False)), f"{file}:{line}") | {"source_row": line}


def _row(values: dict[str, str], where: str) -> dict[str, Any]:
    xmin, ymin, xmax, ymax = (_number(values, name, where) for name in _NAMES[2:6])
    for name in ("Filename", "Annotation tag", "Origin track"):
        if not values[name].strip():
            raise DataError(f"{where}: column {name!r} is empty")
    return {
        "file_name": values["Filename"].strip(),
        "tag": values["Annotation tag"].strip(),
        "xmin": xmin,
        "ymin": ymin,
        "width": xmax - xmin,
        "height": ymax - ymin,
        **{column: values.get(name, "0").strip() == "1" for name, column in _FLAGS.items()},
        "origin_file": values["Origin file"].strip(),
        "origin_frame": int(_number(values, "Origin frame number", where)),
        "track": values["Origin track"].strip(),
        "track_frame": int(_number(values, "Origin track frame number", where)),
    }


def _number(values: dict[str, str], name: str, where: str) -> float:
    try:
        return float(values[name])
    except ValueError:
        raise DataError(f"{where}: column {name!r} is {values[name]!r}; expected a number") from None


def _groups(rows: pd.DataFrame) -> pd.Series:
    """The group of each row: the first of the tracks that overlap, in frames of the same drive."""
    tracks = rows.groupby(["origin_file", "track"])["origin_frame"].agg(["min", "max"]).reset_index()
    tracks = tracks.sort_values(["origin_file", "min", "track"], ignore_index=True)
    end = tracks.groupby("origin_file")["max"].cummax().groupby(tracks["origin_file"]).shift(fill_value=-1)
    tracks["group"] = tracks["track"].where(tracks["min"] > end).ffill()
    group_of = tracks.set_index(["origin_file", "track"])["group"].to_dict()
    return pd.Series([group_of[key] for key in zip(rows["origin_file"], rows["track"], strict=True)], rows.index)


def _negatives(root: Path, first_id: int) -> pd.DataFrame:
    folder = root / NEGATIVES
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in (".png", ".jpg", ".jpeg"))
    names = [file.relative_to(root).as_posix() for file in files]
    return pd.DataFrame({"image_id": range(first_id, first_id + len(names)), "file_name": names, "source": names})


def _line(image: dict[str, Any], box: dict[str, Any], classes: tuple[str, ...]) -> str:
    corners = (box["xmin"], box["ymin"], box["xmin"] + box["width"], box["ymin"] + box["height"])
    start = [image["file_name"], classes[box["class_id"]], *(str(number(value)) for value in corners)]
    flags = ",".join(str(int(box.get(column, False))) for column in _FLAGS.values())
    origin = [image.get("origin_file", ""), image.get("origin_frame", 0), image["group"], image.get("track_frame", 0)]
    return ";".join([*start, flags, *(str(int(v) if isinstance(v, float) else v) for v in origin)])
