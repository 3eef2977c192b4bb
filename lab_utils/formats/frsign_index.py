"""The HDF5 index of FRSign v1.0: its tables, read and written whole (see `frsign`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils.atomic import open_atomic
from lab_utils.errors import DataError

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


def read_tables(index: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The boxes, the negatives and the sequences (indexed by `sequence`).

    Raises:
        DataError: the index is missing or unreadable, or lacks a key, a column or a sequence.
    """
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


def _table(store: Any, index: Path, key: str, levels: list[str], columns: list[str]) -> pd.DataFrame:
    if f"/{key}" not in store.keys():  # noqa: SIM118
        raise DataError(f"{index}: no key '/{key}'; expected FRSign v1.0's /images and /dataframe")
    frame = store[key].reset_index()
    for column in (*levels, *columns):
        if column not in frame:
            raise DataError(f"{index}, /{key}: no column {column!r}; expected {', '.join((*levels, *columns))}")
    return frame[[*levels, *columns]]


@contextmanager
def _opened(index: Path) -> Iterator[Any]:
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
        note = getattr(store.get_node("/")._v_attrs, "made_from", None)
    return None if note is None else str(note)


def image_paths(root: Path) -> list[Path]:
    """Every picture that the index below `root` names."""
    boxes, empty, _ = read_tables(root / INDEX)
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
    store: Any = pd.HDFStore(path, mode="w", driver="H5FD_CORE", driver_core_backing_store=0)
    with store:
        # Tables, not pandas' "fixed" format, which pickles strings.
        store.put("images", _plain(boxes).set_index(LEVELS), format="table", track_times=False)
        store.put("dataframe", _plain(sequences).set_index("sequence"), format="table", track_times=False)
        if len(negatives):
            store.put("negatives", _plain(negatives).set_index(LEVELS), format="table", track_times=False)
        if made_from is not None:
            store.get_node("/")._v_attrs.made_from = made_from
        content = store.get_node("/")._v_file.get_file_image()
    with open_atomic(path, "wb") as file:
        file.write(content)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Strings as Python objects: what every pandas from 2.2 on stores alike."""
    text = frame.select_dtypes(include=["object", "string"]).columns
    return frame.astype(dict.fromkeys(text, object))
