"""FRSign v1.0 (arXiv:2002.05665): French railway signals in sequences, an HDF5 index and folders of PNG files.

`frsign_v1.0.h5` is a pandas HDFStore. `/images` has one row per box (index: sequence, image; columns fullpath, x, y,
w, h in whole pixels from the top left). `/dataframe` has one row per sequence: class, state and camera.
Frames without a signal have no row in `/images`; a third key of ours, `/negatives` (same index, column fullpath),
names them. Readers of the original do not look at it, and a file without it has no negatives: an unlisted PNG may be
unlabelled rather than empty.
"""

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats.frsign_index import (
    BOX_COLUMNS,
    INDEX,
    LEVELS,
    RESOLUTION,
    SEQUENCE_COLUMNS,
    read_tables,
    write_index,
)
from lab_utils.synthetic.chassis import CHASSIS

_UNKNOWN: dict[str, Any] = {"datetime": pd.NaT, "fps": 0.0, "on_track": True, "optic": 0, "image_format": "PNG8"}
_LIGHT, _WEATHER = r"\b(day|dusk|night)\b", r"\b(clear|rain|fog|snow)\b"


def read(
    root: str | Path,
    on_track: bool | None = None,
    resolution: tuple[int, int] | None = None,
    negatives: bool = True,
) -> DetectionDataset:
    """Read the data set below `root`.

    A group is a sequence, or several that share a picture. Images keep the sequence's columns under FRSign's own
    names, with `sequence`, `frame`, and `light` and `weather` where `context` tells them. Boxes keep their own
    sequence's `state` and `on_track`.

    Args:
        root: the folder that holds `frsign_v1.0.h5`, or that file.
        on_track: only sequences whose signal does (True) or does not (False) concern the train's own track.
        resolution: only sequences of this width and height in pixels.
        negatives: also the frames listed as showing no signal.

    Raises:
        DataError: the index or a folder of pictures is missing, the index cannot be read or lacks a column.
    """
    root = Path(root)
    index = root if root.suffix == ".h5" else root / INDEX
    boxes, empty, sequences = read_tables(index)
    sequences = _chosen(_sized(sequences, index), on_track, resolution)
    boxes["source_row"] = np.arange(1, len(boxes) + 1)
    rows = pd.concat([boxes, empty] if negatives else [boxes], ignore_index=True)
    rows = rows[rows["sequence"].isin(sequences.index)].sort_values(LEVELS, kind="stable", ignore_index=True)
    _check_folders(rows["fullpath"], index)
    rows["image_id"] = pd.factorize(rows["fullpath"])[0]
    classes = _classes(sequences.loc[rows["sequence"].unique(), "type"])
    return DetectionDataset.from_frames(
        _images(rows, sequences, index), _boxes(rows, sequences, classes), classes, root=index.parent, name="frsign"
    )


def _images(rows: pd.DataFrame, sequences: pd.DataFrame, index: Path) -> pd.DataFrame:
    rows = rows.assign(group=_groups(rows))
    first = rows.drop_duplicates("image_id")[["image_id", "fullpath", "group", *LEVELS]]
    first = first.rename(columns={"fullpath": "file_name", "image": "frame"})
    images = first.join(sequences, on="sequence")
    context = images["context"].astype(str)
    images["light"] = context.str.extract(_LIGHT, expand=False).fillna("")
    images["weather"] = context.str.extract(_WEATHER, expand=False).fillna("")
    images["source"] = index.name
    return images


def _boxes(rows: pd.DataFrame, sequences: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    rows = rows[rows["x"].notna()]
    boxes = rows.join(sequences[["type", "state", "on_track"]], on="sequence")
    ids = {name: i for i, name in enumerate(classes)}
    boxes["class_id"] = boxes["type"].map(ids)
    boxes["source_row"] = boxes["source_row"].astype("int64")
    names = {"x": "xmin", "y": "ymin", "w": "width", "h": "height", "image": "frame"}
    return boxes.drop(columns=["fullpath", "type"]).rename(columns=names)


def _classes(types: pd.Series) -> tuple[str, ...]:
    """FRSign's seven in the order of their ids, then any others."""
    found = set(types) - {""}
    return (*(CHASSIS if found & set(CHASSIS) else ()), *sorted(found - set(CHASSIS)))


def _groups(rows: pd.DataFrame) -> pd.Series:
    """Lowest number among the sequences that share pictures, directly or through others."""
    pairs = rows[["image_id", "sequence"]].drop_duplicates().sort_values(["image_id", "sequence"])
    shared = pairs[pairs.duplicated("image_id", keep=False)]
    lowest = {int(number): int(number) for number in rows["sequence"].unique()}

    def root(number: int) -> int:
        while lowest[number] != number:
            lowest[number] = number = lowest[lowest[number]]
        return number

    for first, other in zip(shared.groupby("image_id")["sequence"].transform("min"), shared["sequence"], strict=True):
        low, high = sorted((root(first), root(other)))
        lowest[high] = low
    return rows["sequence"].map({number: str(root(number)) for number in lowest})


def _chosen(sequences: pd.DataFrame, on_track: bool | None, resolution: tuple[int, int] | None) -> pd.DataFrame:
    keep = pd.Series(True, index=sequences.index)
    if on_track is not None:
        keep &= sequences["on_track"].astype(bool) == on_track
    if resolution is not None:
        keep &= (sequences["width"] == resolution[0]) & (sequences["height"] == resolution[1])
    return sequences[keep]


def _sized(sequences: pd.DataFrame, index: Path) -> pd.DataFrame:
    """Adds `width` and `height` from the camera's resolution."""
    text = sequences[RESOLUTION].astype(str)
    size = text.str.extract(r"^\s*(\d+)\s*x\s*(\d+)\s*$")
    bad = size[0].isna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise DataError(
            f"{index}, /dataframe, sequence {list(text.index)[row]}, column {RESOLUTION!r}: {text.iloc[row]!r}; "
            "expected width x height such as 1920x1200"
        )
    return sequences.assign(width=size[0].astype("int64"), height=size[1].astype("int64"))


def _check_folders(paths: pd.Series, index: Path) -> None:
    folders = paths.str.rpartition("/")[0].unique()
    missing = [folder for folder in folders if not (index.parent / folder).is_dir()]
    if missing:
        raise DataError(
            f"{index}, /images, column 'fullpath': no folder {missing[0]} below {index.parent} "
            f"({len(missing)} of {len(folders)} folders missing)"
        )


def write(dataset: DetectionDataset, root: str | Path) -> None:
    """Write `dataset` below `root` in FRSign's layout; the index comes last, whole or not at all.

    Pictures are copied, or converted where they are not PNG. Sequences come from the column `sequence`, else from the
    groups; columns that the data set lacks are filled from what is known of it.

    Raises:
        DataError: the data cannot be said in FRSign's terms: two classes or two picture sizes in a sequence, a box
            that is not in whole pixels.
    """
    root = Path(root)
    images = dataset.images.copy()
    if "sequence" not in images:
        images["sequence"] = pd.factorize(images["group"])[0] + 1
    if "frame" not in images:
        images["frame"] = images.groupby("sequence").cumcount()
    images["fullpath"] = [str(PurePosixPath(name).with_suffix(".png")) for name in images["file_name"]]
    boxes = _box_rows(dataset, images)
    sequences = _sequence_rows(dataset, images, boxes)
    for image_id, path in zip(images["image_id"], images["fullpath"], strict=True):
        _copy_png(dataset, image_id, root / path)
    names = {"frame": "image"}
    empty = images[~images["image_id"].isin(boxes["image_id"])].rename(columns=names)
    write_index(
        root / INDEX,
        boxes[[*LEVELS, *BOX_COLUMNS]],
        sequences,
        negatives=empty[[*LEVELS, "fullpath"]],
    )


def _box_rows(dataset: DetectionDataset, images: pd.DataFrame) -> pd.DataFrame:
    corners = {"xmin": "x", "ymin": "y", "width": "w", "height": "h", "frame": "image"}
    places = images.set_index("image_id")[["sequence", "frame", "fullpath"]]
    own = [c for c in places if c not in dataset.boxes]  # a box's own sequence goes before its picture's
    boxes = dataset.boxes.join(places[own], on="image_id").rename(columns=corners)
    for column in ("x", "y", "w", "h"):
        bad = boxes[column] % 1 != 0
        if bad.any():
            path = boxes["fullpath"].iloc[int(bad.argmax())]
            value = boxes[column].iloc[int(bad.argmax())]
            raise DataError(f"{path}, column {column!r}: {value}; FRSign's boxes are in whole pixels")
    return boxes.astype(dict.fromkeys(("x", "y", "w", "h"), "int64"))


def _sequence_rows(dataset: DetectionDataset, images: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    size = images["width"].astype(str) + "x" + images["height"].astype(str)
    known = images.assign(**{RESOLUTION: size})
    _check_single(known, RESOLUTION, "picture sizes")
    classes = boxes.assign(type=[dataset.classes[i] for i in boxes["class_id"]])
    _check_single(classes, "type", "classes")
    known = pd.concat([known, _borrowed(known, boxes)], ignore_index=True)
    sequences = known.drop_duplicates("sequence").set_index("sequence")
    kinds = classes.drop_duplicates("sequence").set_index("sequence")["type"]
    sequences["type"] = kinds.reindex(sequences.index).fillna(sequences.get("type", "")).fillna("")
    missing = {c: _UNKNOWN.get(c, "") for c in SEQUENCE_COLUMNS if c not in sequences}
    return sequences.assign(**missing)[SEQUENCE_COLUMNS].reset_index()


def _borrowed(images: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Rows for the sequences all of whose pictures count as another's: the picture's, with the boxes' own columns."""
    lone = boxes[~boxes["sequence"].isin(images["sequence"])].drop_duplicates("sequence")
    rows = images.set_index("image_id").loc[lone["image_id"]].reset_index()
    own = {c: lone[c].to_numpy() for c in ("sequence", "state", "on_track") if c in lone}
    return rows.assign(**own).drop(columns="type", errors="ignore")


def _check_single(rows: pd.DataFrame, column: str, what: str) -> None:
    counts = rows.groupby("sequence")[column].nunique()
    if (counts > 1).any():
        sequence = counts.index[int((counts > 1).argmax())]
        found = rows.loc[rows["sequence"] == sequence, column].unique()[:2]
        raise DataError(f"sequence {sequence}: {what} {found[0]!r} and {found[1]!r}; FRSign has one to a sequence")


def _copy_png(dataset: DetectionDataset, image_id: int, target: Path) -> None:
    source = dataset.image_path(image_id)
    if target.exists() and source.exists() and target.samefile(source):
        return
    if not source.is_file():
        raise DataError(f"{source}: no such image")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() == ".png":
        shutil.copyfile(source, target)
    else:
        dataset.open_image(image_id).save(target)
