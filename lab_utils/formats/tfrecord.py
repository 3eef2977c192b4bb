"""TFRecords for TensorFlow's Object Detection API: `NAME.tfrecord` or its shards, and `label_map.pbtxt` beside them.

TensorFlow is not needed. What a record holds is told in `lab_utils.tfod.features`, the framing in
`lab_utils.tfod.record_file`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils.dataset import BOX_COLUMNS, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import records
from lab_utils.formats.conversion import prepared
from lab_utils.formats.record_image import unpack_image
from lab_utils.tfod import example, features, label_map, pictures, record_file
from lab_utils.tfod.features import Objects

LABEL_MAP = "label_map.pbtxt"
_SPLITS = {
    "train": "training",
    "val": "validation",
    "eval": "validation",
    "test": "test",
}  # by how a file's name begins


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: the records' files.
        images, boxes: their numbers.
        negatives: images without a box, which are written, too.
        clipped: boxes cut off at the edge of their image.
        remade: images written as PNG: CMYK, 16-bit, or of a format that TFOD does not read.
        misnamed: files whose name says another format than their content, which counts.
        rotated: images with an EXIF orientation, which is not applied.
    """

    files: tuple[Path, ...]
    images: int
    boxes: int
    negatives: int
    clipped: int
    remade: int
    misnamed: int
    rotated: int

    def __str__(self) -> str:
        told = [f"{self.images:,} images with {self.boxes:,} boxes in {len(self.files)} files"]
        told += [f"{self.negatives:,} images without boxes kept as negatives"] * bool(self.negatives)
        told += [f"{self.clipped:,} boxes cut off at the edge of their image"] * bool(self.clipped)
        told += [f"{self.remade:,} images made PNG, for TFOD cannot read them as they are"] * bool(self.remade)
        told += [f"{self.misnamed:,} files are not what their name says; their content counts"] * bool(self.misnamed)
        told += [f"{self.rotated:,} images have an EXIF orientation, which is not applied"] * bool(self.rotated)
        return "; ".join(told)


def write(dataset: DetectionDataset, path: str | Path, *, shards: int = 1, progress: bool = False) -> Written:
    """Write the data set as one file, or as `shards` files `PATH-00000-of-0000N`, with the label map beside them.

    Records hold the image files' own bytes wherever TFOD can read them. All files appear, or none.

    Args:
        progress: show a bar.

    Raises:
        DataError: an image is missing, unreadable or of another size than recorded, a box has no area, or the folder
            holds a label map of other classes: named, with the fix.
    """
    boxes, account = prepared(dataset, crowd="keep")
    items = label_map.numbered(dataset.classes)
    listed = Path(path).parent / LABEL_MAP
    if listed.is_file() and label_map.read(listed) != items:
        raise DataError(f"{listed}: other classes than {dataset.name}'s; delete it, or choose another folder")
    found: Counter[str] = Counter()
    with record_file.ShardWriter(path, shards) as writer:
        for image, objects in _rows(dataset, boxes, progress):
            picture = pictures.load(dataset.root / image["file_name"], (image["width"], image["height"]))
            writer.append(example.encode(features.of_image(image, picture, objects)))
            found.update({kind: getattr(picture, kind) for kind in ("remade", "misnamed", "rotated")})
        label_map.write(listed, items)
    numbers = {name: getattr(account, name) for name in ("images", "boxes", "negatives", "clipped")}
    counts = {kind: found[kind] for kind in ("remade", "misnamed", "rotated")}
    return Written(tuple(writer.paths), **numbers, **counts)


def write_splits(
    splits: Mapping[str, DetectionDataset], folder: str | Path, *, shards: int = 1, progress: bool = False
) -> dict[str, Written]:
    """Write each split to `FOLDER/SPLIT.tfrecord`, with one label map; see `write`."""
    return {
        name: write(part, Path(folder) / f"{name}.tfrecord", shards=shards, progress=progress)
        for name, part in splits.items()
    }


def stream(path: str | Path) -> Iterator[tuple[Path, str, dict[str, example.Feature]]]:
    """File, place (`FILE: record N`) and features of every record, one in memory at a time.

    Args:
        path: a file, the name that shards have in common, a pattern, or a folder of files.

    Raises:
        DataError: a file is missing, truncated or damaged; the message names the record and the byte.
    """
    for file in record_file.find(path):
        for number, (_, data) in enumerate(record_file.records(file), start=1):
            where = f"{file}: record {number}"
            yield file, where, example.decode(data, where)


def read(path: str | Path, images_dir: str | Path | None = None) -> DetectionDataset:
    """Read records and unpack their images.

    The classes are those of the label map beside the files; without one, those that occur, by their ids. A box is of
    the class that its text says, as TFOD reads it; where there is no text, of that of its id. An image's split comes
    from how its file's name begins: "train", "val", "eval" or "test".

    Args:
        path: as for `stream`.
        images_dir: where the images go; None: the folder `NAME_images` beside the file or folder.

    Raises:
        DataError: as `stream`; or a record lacks a feature, repeats an image, or has a box that is none.
    """
    path = Path(path).resolve()
    root = Path(images_dir) if images_dir else path.with_name(f"{path.name.split('.')[0]}_images")
    images: list[dict[str, Any]] = []
    found: list[Objects] = []
    place_of: dict[str, str] = {}
    for file, where, record in stream(path):
        image, content, objects = features.parse(record, where, len(images) + 1)
        name = image["file_name"]
        if place_of.setdefault(name, where) != where:
            raise DataError(f"{where}: {name!r} again, as in {place_of[name]}; expected one record an image")
        unpack_image(root / name, content)
        images.append({**image, "split": _split(file), "source": file.name})
        found.append(objects)
    if not images:
        raise DataError(f"{path}: empty; expected at least one record")
    listed = (path if path.is_dir() else path.parent) / LABEL_MAP
    items = label_map.read(listed) if listed.is_file() else features.classes(found)
    tables = [objects.table(image, items) for image, objects in zip(_numbered(images), found, strict=True)]
    boxes = pd.concat([t for t in tables if len(t)] or [pd.DataFrame(columns=list(BOX_COLUMNS))], ignore_index=True)
    return DetectionDataset.from_frames(
        pd.DataFrame(images),
        boxes,
        [item.name for item in items],
        root=root,
        name=path.stem,
        category_ids=[item.id for item in items],
    )


def _rows(
    dataset: DetectionDataset, boxes: pd.DataFrame, progress: bool
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The row of each image, and its objects' features."""
    from tqdm.auto import tqdm

    columns = features.columns(boxes, dataset.classes)
    of_image = boxes.groupby("image_row").indices
    images = records(dataset.images)
    for row, image in enumerate(tqdm(images, desc="write records", unit="image", disable=None if progress else True)):
        yield image, {key: values[of_image.get(row, [])] for key, values in columns.items()}


def _split(file: Path) -> str:
    return next((split for start, split in _SPLITS.items() if file.name.startswith(start)), "")


def _numbered(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images with ids: their `source_id` where all are different numbers, else 1, 2, 3, ..."""
    ids = [image.pop("source_id") for image in images]
    numeric = all(i.isdecimal() for i in ids) and len({int(i) for i in ids}) == len(ids)
    for number, image in enumerate(images, start=1):
        image["image_id"] = int(ids[number - 1]) if numeric else number
    return images
