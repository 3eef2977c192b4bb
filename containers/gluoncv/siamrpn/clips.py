"""Clips to learn from and to be judged by: a folder of videos, each with a table of its targets' boxes."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sagemaker_contract import UserError

from . import video

COLUMNS = ("frame", "track_id", "class_id", "xmin", "ymin", "width", "height", "visibility")


@dataclass(frozen=True)
class Track:
    """One target of a clip, of class `class_id`, in the frames that show it, in their order.

    `frames` [N] from 0, `boxes` [N, 4] left, top, width, height in pixels, `visibility` [N] above 0, at most 1.
    """

    class_id: int
    frames: np.ndarray
    boxes: np.ndarray
    visibility: np.ndarray


@dataclass(frozen=True)
class Clip:
    """A video of `size` (width, height) and `count` frames, and its targets by their ids."""

    path: Path
    size: tuple[int, int]
    count: int
    tracks: tuple[Track, ...]


def load(folder: Path) -> list[Clip]:
    """The clips of a channel. Raises UserError that says which file or line is wrong, and what was expected."""
    videos = sorted(folder.rglob("*.mp4"))
    if not videos:
        raise UserError(f"{folder}: no clip, expected <name>.mp4 and <name>.csv for each")
    return [_clip(path) for path in videos]


def first_box(path: Path) -> tuple[int, list[float]]:
    """The frame that first shows a video's first target, and its box there (left, top, width, height).

    Raises UserError.
    """
    track = _clip(path).tracks[0]
    return int(track.frames[0]), track.boxes[0].tolist()


def _clip(path: Path) -> Clip:
    table = path.with_suffix(".csv")
    if not table.is_file():
        raise UserError(f"{path}: no {table.name} beside it, expected the columns {','.join(COLUMNS)}")
    width, height, count = video.length(path)
    rows = _read(table, (width, height), count)
    rows = rows[rows[:, -1] > 0]
    if not len(rows):
        raise UserError(f"{table}: no target is ever in sight, expected rows of visibility above 0")
    tracks = [_track(table, number, rows[rows[:, 1] == number]) for number in np.unique(rows[:, 1])]
    return Clip(path, (width, height), count, tuple(tracks))


def _read(table: Path, size: tuple[int, int], count: int) -> np.ndarray:
    """All rows [N, 8] in the order of COLUMNS."""
    with table.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        if tuple(next(reader, ())) != COLUMNS:
            raise UserError(f"{table}, line 1: expected the columns {','.join(COLUMNS)}")
        rows = [_row(f"{table}, line {reader.line_num}", row, size, count) for row in reader]
    if not rows:
        raise UserError(f"{table}: no rows, expected one for each frame that shows a target")
    return np.array(rows)


def _row(where: str, row: list[str], size: tuple[int, int], count: int) -> list[float]:
    try:
        values = [float(text) for text in row]
        frame, _, _, left, top, width, height, visibility = values
        if not np.isfinite(values).all():
            raise ValueError
    except ValueError as error:
        raise UserError(f"{where}: expected {len(COLUMNS)} numbers, found {','.join(row)!r}") from error
    if not (0 <= frame < count and frame == int(frame)):
        raise UserError(f"{where}: frame {row[0]}, the video has the frames 0 to {count - 1}")
    if not 0 <= visibility <= 1:
        raise UserError(f"{where}: visibility {row[7]}, expected 0 to 1")
    if visibility > 0 and not (width > 0 and height > 0):
        raise UserError(f"{where}: box of width {width:g} and height {height:g}, expected above 0")
    if visibility > 0 and not (-width < left < size[0] and -height < top < size[1]):
        raise UserError(f"{where}: the box is outside the video's {size[0]}x{size[1]} pixels; visibility 0 says so")
    return values


def _track(table: Path, number: float, rows: np.ndarray) -> Track:
    rows = rows[rows[:, 0].argsort(kind="stable")]
    twice = rows[1:, 0][np.diff(rows[:, 0]) == 0]
    if len(twice):
        raise UserError(f"{table}: track {number:g} has two boxes in frame {twice[0]:g}, expected one")
    return Track(int(rows[0, 2]), rows[:, 0].astype(int), rows[:, 3:7], rows[:, 7])
