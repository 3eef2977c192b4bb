"""RecordIO for MXNet and SageMaker's built-in object detection: `NAME.rec`, its index `NAME.idx`, its list `NAME.lst`.

The files are those of MXNet's own `im2rec.py --pass-through --pack-label`, byte for byte; MXNet is not needed. A line
of the list is the record's id, the label's values and the image's path, separated by tabs. What a record holds is told
in `record_label`, the framing in `record_file`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lab_utils import atomic
from lab_utils.dataset import BOX_COLUMNS, XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import record_file, record_list
from lab_utils.formats.conversion import Conversion, prepared, successive
from lab_utils.formats.record_image import image_header, unpack_image
from lab_utils.formats.record_label import Record, check_width, decode, encode, pack, unpack
from lab_utils.pixels import read_bytes

_REINDEX = "make it anew with recordio.write_index"


def write(
    dataset: DetectionDataset,
    path: str | Path,
    *,
    crowd: str = "drop",
    difficult: bool = False,
    size_header: bool = False,
    label_width: int | None = None,
) -> Conversion:
    """Write the data set as `path` (a `.rec`), with its `.idx` and `.lst` beside it.

    Image files go in as they are. Records are numbered from 0 in the order of `dataset.images`. Images without boxes
    are kept.

    Args:
        crowd: "drop" crowd regions, or "keep" them as ordinary objects.
        difficult: a sixth value per object, 1 for a difficult one (and for a crowd region, if kept).
        size_header: the extended header, with the image's width and height.
        label_width: the hyperparameter's value, to be refused where it is too small.

    Returns:
        What was written, with the least `label_width`.

    Raises:
        DataError: an image is missing, a box has no area, a label is too wide: named, with the fix.
    """
    path = _rec(path)
    width = 6 if difficult else 5
    boxes, account = prepared(dataset, crowd, width)
    objects = _objects(boxes, width)
    of_image = boxes.groupby("image_row").indices
    lines = []
    with record_file.RecordWriter(path) as writer:
        for row, image in enumerate(dataset.images.itertuples()):
            size = (int(image.width), int(image.height)) if size_header else None  # type: ignore[arg-type]
            label = encode(objects[of_image.get(row, [])], size, width)
            check_width(label, label_width, f"{dataset.name}: {image.file_name}")
            writer.append(row, pack(Record(row, label, read_bytes(dataset.root / str(image.file_name)))))
            lines.append(record_list.line(row, label, str(image.file_name)))
        atomic.write_text(path.with_suffix(".lst"), "".join(lines))
    wider = account.label_width + 2 * size_header
    return Conversion(**{**vars(account), "label_width": wider})


def stream(path: str | Path, *, label_width: int | None = None) -> Iterator[Record]:
    """The records of a `.rec`, one in memory at a time; where there is a `.idx`, it is held against them.

    Raises:
        DataError: the file is truncated or no RecordIO file of images; a label is wider than `label_width`; the index
            tells other places. The message names the record and the fix.
    """
    path = _rec(path)
    index = record_file.index_path(path)
    entries = record_file.read_index(index) if index.is_file() else None
    key_at = {position: key for key, position in entries or []}
    number = 0
    for number, (position, data) in enumerate(record_file.records(path), start=1):
        record = unpack(data, f"{path}: record {number}")
        if entries is not None and key_at.get(position) != record.id:
            found = f"record {number}, id {record.id}, starts at byte {position}"
            raise DataError(f"{index}: does not belong to {path.name}: {found}; {_REINDEX}")
        check_width(record.label, label_width, f"{path}: record {number} (id {record.id})")
        yield record
    if entries is not None and len(entries) != number:
        raise DataError(f"{index}: {len(entries)} entries, but {path.name} has {number} records; {_REINDEX}")


def read(
    path: str | Path,
    images_dir: str | Path | None = None,
    *,
    classes: Sequence[str] | None = None,
    label_width: int | None = None,
) -> DetectionDataset:
    """Read a `.rec` and unpack its images.

    Args:
        path: the `.rec`. A `.lst` beside it tells the images' names; else they are called after their ids.
        images_dir: where the images go; None: the folder `NAME_images` beside the file.
        classes: class names; None: "class 0", "class 1" ..., and each must occur.
        label_width: as for `stream`.

    Raises:
        DataError: as `stream`; or a label is malformed, a class has no name, an image cannot be read.
    """
    path = _rec(path)
    root = path.with_name(f"{path.stem}_images") if images_dir is None else Path(images_dir)
    listed = record_list.names(path.with_suffix(".lst"))
    images, tables = [], []
    for number, record in enumerate(stream(path, label_width=label_width), start=1):
        where = f"{path}: record {number} (id {record.id})"
        objects = decode(record.label, where)
        size, suffix = image_header(record.image, where)
        name = listed.get(record.id, f"{record.id:08d}{suffix}")
        unpack_image(root / name, record.image)
        images.append({"image_id": record.id, "file_name": name, "width": size[0], "height": size[1]})
        tables.append(_boxes(record.id, objects, size))
    boxes = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(BOX_COLUMNS))
    if not images:
        raise DataError(f"{path}: empty; expected at least one record")
    named = _named(boxes["class_id"].astype(int).tolist(), classes, path)
    frame = pd.DataFrame(images).assign(source=path.name)
    return DetectionDataset.from_frames(frame, boxes, named, root=root, name=path.stem)


def write_index(path: str | Path) -> Path:
    """Make the `.idx` of a `.rec` anew from its records; returns its path."""
    path = _rec(path)
    lines = []
    for number, (position, data) in enumerate(record_file.records(path), start=1):
        lines.append(f"{unpack(data, f'{path}: record {number}').id}\t{position}\n")
    atomic.write_text(record_file.index_path(path), "".join(lines))
    return record_file.index_path(path)


def _rec(path: str | Path) -> Path:
    if Path(path).suffix != ".rec":
        raise ConfigError(f"{path}: expected a name that ends in .rec")
    return Path(path)


def _objects(boxes: pd.DataFrame, width: int) -> np.ndarray:
    """Class, corners as ratios and, with a width of 6, the flag: float64 [N, width]."""
    values, size = boxes[XYWH].to_numpy(), boxes[["image_width", "image_height"]].to_numpy()
    low, high = values[:, :2] / size, (values[:, :2] + values[:, 2:]) / size
    flags = (boxes["difficult"] | boxes["crowd"]).to_numpy()[:, None]
    return np.hstack([boxes[["class_id"]].to_numpy(), low, np.minimum(high, 1), flags])[:, :width]


def _boxes(image_id: int, objects: np.ndarray, size: tuple[int, int]) -> pd.DataFrame:
    low, high = objects[:, 1:3] * size, objects[:, 3:5] * size
    flags: Any = objects[:, 5] == 1 if objects.shape[1] > 5 else False
    table = pd.DataFrame(np.hstack([low, high - low]), columns=XYWH)
    rows = np.arange(1, len(objects) + 1)
    return table.assign(image_id=image_id, class_id=objects[:, 0], difficult=flags, source_row=rows)


def _named(ids: list[int], classes: Sequence[str] | None, path: Path) -> list[str]:
    if classes is None:
        successive(ids, str(path))
        return [f"class {i}" for i in range(max(ids, default=-1) + 1)]
    if ids and max(ids) >= len(classes):
        raise DataError(
            f"{path}: class id {max(ids)} occurs; classes has {len(classes)} names, for 0 to {len(classes) - 1}"
        )
    return list(classes)
