"""Writes clips with ground truth: H.264 video and a CSV beside it, as `lab_utils.tracking.clips` describes them."""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from lab_utils.atomic import write_json
from lab_utils.errors import ConfigError
from lab_utils.tracking.clips import COLUMNS, Clip, find_clips, write_annotations
from lab_utils.tracking.video import Image
from lab_utils.tracking.writer import write_video

from .film import Seen, film, target_is_clear
from .generate import only_one, refuse_in_worker
from .journeys import Journey, make_journey

VERSION = 1
FPS = 25
_MARKER = "clips.json"


def generate_clips(
    root: str | Path,
    *,
    clips: int = 20,
    frames: int = 90,
    size: tuple[int, int] = (480, 300),
    seed: int = 0,
    hard: bool = True,
    processes: int = 2,
    progress: bool = True,
) -> list[Clip]:
    """Render a set of clips, or find it rendered already; `hard` ones hide the target and lose it from view.

    Args:
        root: folder of the set, of nothing else.
        clips, frames, size: how many, how long, and their width and height in pixels.
        seed: decides all that is drawn; sets of different seeds share nothing.
        hard: see `make_journey`.

    Raises:
        ConfigError: an argument is out of range.
    """
    _check(clips, frames, size)
    refuse_in_worker(processes)
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    made_from = {"version": VERSION, "clips": clips, "frames": frames, "size": list(size), "seed": seed, "hard": hard}
    with only_one(root):
        if not _is_complete(root, made_from):
            _clear(root)
            jobs = [(root / f"clip_{i:04d}.mp4", (seed, i), frames, size, hard) for i in range(clips)]
            for _ in tqdm(_run(jobs, processes), desc="clips", total=clips, unit="clip", disable=not progress):
                pass
            write_json(root / _MARKER, made_from)
    return find_clips(root)


def sample_clip(path: str | Path, seed: int) -> Clip:
    """Render a clip for looking at: 150 frames 1280x720 by clear day, compressed to less than 2 MB."""
    what = {"frames": 150, "size": (1280, 720), "light": "day", "weather": "clear"}
    return write_clip(path, clear_journey((seed,), **what), quality=27)


def write_clip(path: str | Path, journey: Journey, *, quality: int = 20) -> Clip:
    """Render one clip to `path` (.mp4) and its ground truth to the CSV beside it."""
    rows: list[tuple[object, ...]] = []
    write_video(path, _frames(journey, rows), FPS, quality=quality)
    write_annotations(Path(path).with_suffix(".csv"), pd.DataFrame(rows, columns=COLUMNS))
    return Clip(Path(path))


def clear_journey(seed: tuple[int, ...], **what: Any) -> Journey:
    """The first journey of `make_journey` from `seed` on whose target is in plain sight at the start."""
    return next(j for i in count() if target_is_clear(j := make_journey((*seed, i), **what)))


def _frames(journey: Journey, rows: list[tuple[object, ...]]) -> Iterator[Image]:
    for index, shot in enumerate(film(journey)):
        rows += [_row(index, seen) for seen in shot.seen]
        yield shot.rgb


def _row(frame: int, seen: Seen) -> tuple[object, ...]:
    return frame, seen.track_id, seen.class_id, *seen.box, seen.visibility


def _run(jobs: list[tuple[Any, ...]], processes: int) -> Iterator[None]:
    if processes == 1 or len(jobs) < 4:
        yield from map(_write, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_write, jobs)


def _write(job: tuple[Path, tuple[int, ...], int, tuple[int, int], bool]) -> None:
    path, seed, frames, size, hard = job
    write_clip(path, clear_journey(seed, frames=frames, size=size, hard=hard))


def _is_complete(root: Path, made_from: dict[str, object]) -> bool:
    marker = root / _MARKER
    return marker.is_file() and json.loads(marker.read_text()) == made_from


def _clear(root: Path) -> None:
    (root / _MARKER).unlink(missing_ok=True)
    for path in root.glob("clip_*.*"):
        path.unlink()


def _check(clips: int, frames: int, size: tuple[int, int]) -> None:
    for name, value, low in (("clips", clips, 1), ("frames", frames, 2), ("width", size[0], 160)):
        if value < low:
            raise ConfigError(f"{name}={value}; expected at least {low}")
    if size[1] < 100:
        raise ConfigError(f"height={size[1]}; expected at least 100")
