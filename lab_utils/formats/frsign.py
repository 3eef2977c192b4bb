"""FRSign v1.0 (arXiv:2002.05665): French railway signals in sequences, an HDF5 index and folders of PNG files.

`frsign_v1.0.h5` is a pandas HDFStore. `/images` has one row per box (index: sequence, image; columns fullpath, x, y,
w, h in whole pixels from the top left). `/dataframe` has one row per sequence: class, state and camera.
Frames without a signal have no row in `/images`; a third key of ours, `/negatives` (same index, column fullpath),
names them. Readers of the original do not look at it, and a file without it has no negatives: an unlisted PNG may be
unlabelled rather than empty.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from lab_utils.atomic import open_atomic
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.synthetic.chassis import CHASSIS

INDEX = "frsign_v1.0.h5"
LEVELS = ["sequence", "image"]
BOX_COLUMNS = ["fullpath", "x", "y", "w", "h"]
RESOLUTION = "CameraInfo_sensorResolution"
SEQUENCE_COLUMNS = [
    "CameraInfo_bayerTileFormat",
    RESOLUTION,
    "context",
    "datetime",
    "fps",
    "sensor_id",
    "sensor_type",
    "state",
    "type",
    "on_track",
    "video",
    "video_name",
    "optic",
    "image_format",
]
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
    boxes, empty, sequences = _read_tables(index)
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
    group = rows["sequence"]
    while True:
        merged = group.groupby(rows["image_id"]).transform("min")
        merged = merged.groupby(rows["sequence"]).transform("min")
        if merged.equals(group):
            return group.astype(str)
        group = merged


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
        raise DataError(
            f"{index}, /dataframe, sequence {bad.idxmax()}, column {RESOLUTION!r}: {text[bad.idxmax()]!r}; "
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


def _read_tables(index: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    with _opened(index) as store:
        boxes = _table(store, index, "images", LEVELS, BOX_COLUMNS)
        sequences = _table(store, index, "dataframe", ["sequence"], SEQUENCE_COLUMNS).set_index("sequence")
        empty = pd.DataFrame(columns=[*LEVELS, "fullpath"])
        if "/negatives" in store.keys():  # noqa: SIM118 - a store's `in` looks at every node
            empty = _table(store, index, "negatives", LEVELS, ["fullpath"])
    unknown = sorted({*boxes["sequence"], *empty["sequence"]} - set(sequences.index))
    if unknown:
        raise DataError(f"{index}, /images: sequence {unknown[0]} is not in /dataframe")
    return boxes, empty, sequences


def _table(store: pd.HDFStore, index: Path, key: str, levels: list[str], columns: list[str]) -> pd.DataFrame:
    if f"/{key}" not in store.keys():  # noqa: SIM118
        raise DataError(f"{index}: no key '/{key}'; expected FRSign v1.0's /images and /dataframe")
    frame = store[key].reset_index()
    for column in (*levels, *columns):
        if column not in frame:
            raise DataError(f"{index}, /{key}: no column {column!r}; expected {', '.join((*levels, *columns))}")
    return frame[[*levels, *columns]]


@contextmanager
def _opened(index: Path) -> Iterator[pd.HDFStore]:
    if not index.is_file():
        raise DataError(f"{index}: no such file; expected FRSign's index {INDEX}")
    try:
        store = pd.HDFStore(index, mode="r")
    except Exception as error:  # PyTables raises several kinds, none of them its own for "not HDF5"
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise DataError(f"{index}: not a readable HDF5 file ({reason[0].strip()})") from error
    with store:
        yield store


def read_made_from(index: Path) -> str | None:
    """What the generator noted of its arguments in the index; None for a data set from elsewhere."""
    with _opened(index) as store:
        note = getattr(store.root._v_attrs, "made_from", None)
    return None if note is None else str(note)


def image_paths(root: Path) -> list[Path]:
    """Every picture that the index below `root` names."""
    boxes, empty, _ = _read_tables(root / INDEX)
    return [root / path for path in pd.concat([boxes["fullpath"], empty["fullpath"]]).unique()]


def write_index(
    path: Path,
    boxes: pd.DataFrame,
    sequences: pd.DataFrame,
    *,
    negatives: pd.DataFrame,
    made_from: str | None = None,
) -> None:
    """Write the index, whole or not at all.

    Args:
        path: the HDF5 file.
        boxes: columns sequence, image, fullpath, x, y, w, h.
        sequences: columns sequence and FRSign's fourteen.
        negatives: columns sequence, image, fullpath.
        made_from: note kept in the file's attributes, see `read_made_from`.
    """
    store = pd.HDFStore(path, mode="w", driver="H5FD_CORE", driver_core_backing_store=0)
    with store:
        # Tables, not pandas' "fixed" format, which pickles strings.
        store.put("images", _plain(boxes).set_index(LEVELS), format="table")
        store.put("dataframe", _plain(sequences).set_index("sequence"), format="table")
        if len(negatives):
            store.put("negatives", _plain(negatives).set_index(LEVELS), format="table")
        if made_from is not None:
            store.root._v_attrs.made_from = made_from
        content = store.root._v_file.get_file_image()
    with open_atomic(path, "wb") as file:
        file.write(content)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Strings as Python objects: what every pandas from 2.2 on stores alike."""
    text = frame.select_dtypes(include=["object", "string"]).columns
    return frame.astype(dict.fromkeys(text, object))
