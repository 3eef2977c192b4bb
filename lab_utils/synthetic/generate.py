"""Renders a whole data set in FRSign v1.0's layout."""

import fcntl
import json
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError
from lab_utils.formats import frsign, frsign_index

from .atmosphere import LIGHTS, WEATHERS
from .chassis import CHASSIS
from .png import write_png
from .scene import render_sequence
from .sequences import SequenceSpec, make_spec

VERSION = 2
SENSOR = "synthetic"
_FPS, _SPEED = 20.0, 22.0  # frames a second; metres a second
_LIGHT_SHARE = (0.5, 0.2, 0.3)
_WEATHER_SHARE = (0.5, 0.2, 0.2, 0.1)
_HOURS = {"day": (9, 16), "dusk": (18, 20), "night": (21, 24)}


class Recording(NamedTuple):
    """A sequence and the name of its folder of frames."""

    sequence: int
    folder: str
    start: datetime
    spec: SequenceSpec

    def frame_name(self, index: int) -> str:
        """File name of a frame, numbered as a camera running at `_FPS` would."""
        run = self.spec.distances[0] - self.spec.distances[index]
        return f"{1000 + 37 * self.sequence % 9000 + index + round(run / _SPEED * _FPS)}_rgb.png"


def generate(
    root: str | Path,
    *,
    sequences: int = 70,
    frames: int = 6,
    size: tuple[int, int] = (640, 400),
    seed: int = 0,
    negatives: float = 0.1,
    processes: int = 2,
    progress: bool = True,
) -> DetectionDataset:
    """Render `sequences` approaches of `frames` frames each below `root`, or read them if they are there.

    The same arguments give the same pixels whatever the number of processes. The index is written last, so
    that an interrupted run is never taken for a data set; other arguments replace what an earlier call left.

    Args:
        root: folder of the data set.
        size: width and height in pixels.
        negatives: share of frames that show no signal.

    Raises:
        ConfigError: an argument is out of range, or `root` holds a data set that was not generated.
    """
    _check(sequences, frames, size, negatives)
    refuse_in_worker(processes)
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    made_from = {"version": VERSION, "sequences": sequences, "frames": frames, "size": list(size)}
    made_from |= {"seed": seed, "negatives": negatives}
    with only_one(root):
        if not _is_complete(root, made_from):
            _clear(root)
            recordings = plan(sequences=sequences, frames=frames, size=size, seed=seed, negatives=negatives)
            rows = list(_render_all(recordings, root, processes, progress))
            _write_index(root, recordings, rows, made_from)
    return frsign.read(root)


def refuse_in_worker(processes: int) -> None:
    """Raise a ConfigError in a spawned worker, where the main module has another name: it would wait for ever for its
    parent's lock."""
    if processes > 1 and getattr(sys.modules.get("__mp_main__"), "__name__", "") == "__mp_main__":
        raise ConfigError(
            "a worker process runs the main script again, and this call in it: "
            "call it below `if __name__ == '__main__':`, or with processes=1"
        )


def plan(*, sequences: int, frames: int, size: tuple[int, int], seed: int, negatives: float) -> list[Recording]:
    """What to render: classes in turn, each with its share of every light and weather."""
    return [_record(i, frames, size, seed, negatives) for i in range(sequences)]


def _record(index: int, frames: int, size: tuple[int, int], seed: int, negatives: float) -> Recording:
    rng = np.random.default_rng((seed, index, 0))
    turn, kind = divmod(index, len(CHASSIS))
    light = _dealt(LIGHTS, _LIGHT_SHARE, (seed, kind, 1), turn)
    weather = _dealt(WEATHERS, _WEATHER_SHARE, (seed, kind, 2), turn)
    empty = min(int(negatives * frames + rng.random()), frames - 1)
    spec = make_spec(
        (seed, index), CHASSIS[kind], light=light, weather=weather, frames=frames, negatives=empty, size=size
    )
    first, last = _HOURS[light]
    start = datetime(2026, 3, 2) + timedelta(days=index, seconds=int(rng.uniform(first, last) * 3600))
    folder = f"RecFile_{index + 1}_{start:%Y%m%d_%H%M%S}_{SENSOR}_1_ipl_image"
    return Recording(index + 1, folder, start, spec)


def _dealt(values: tuple[str, ...], shares: tuple[float, ...], seed: tuple[int, ...], turn: int) -> str:
    """Value number `turn` of a deck that holds each value in its share, shuffled anew every ten."""
    deck = np.repeat(values, np.round(np.multiply(shares, 10)).astype(int))
    hand, place = divmod(turn, len(deck))
    return str(np.random.default_rng((*seed, hand)).permutation(deck)[place])


def _render_all(
    recordings: list[Recording], root: Path, processes: int, progress: bool
) -> Iterator[list[tuple[str, list[list[int]]]]]:
    folders = [(recording, root) for recording in recordings]
    bar = tqdm(total=len(recordings), desc="rendering", unit="sequence", disable=not progress)
    if processes == 1 or len(recordings) < 4:
        for folder in folders:
            yield _render(folder)
            bar.update()
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for rows in pool.map(_render, folders):
                yield rows
                bar.update()
    bar.close()


def _render(job: tuple[Recording, Path]) -> list[tuple[str, list[list[int]]]]:
    """Write one sequence's PNG files; returns each one's name and boxes."""
    recording, root = job
    folder = root / recording.folder
    folder.mkdir(exist_ok=True)
    rows = []
    for index, frame in enumerate(render_sequence(recording.spec)):
        name = recording.frame_name(index)
        write_png(folder / name, frame.rgb)
        rows.append((f"{recording.folder}/{name}", frame.boxes.tolist()))
    return rows


def _write_index(
    root: Path,
    recordings: list[Recording],
    rows: list[list[tuple[str, list[list[int]]]]],
    made_from: dict[str, object],
) -> None:
    boxes, empty = [], []
    for recording, frames in zip(recordings, rows, strict=True):
        for image, (path, found) in enumerate(frames):
            boxes += [(recording.sequence, image, path, *box) for box in found]
            empty += [] if found else [(recording.sequence, image, path)]
    table = pd.DataFrame([_describe(r) for r in recordings], columns=["sequence", *frsign_index.SEQUENCE_COLUMNS])
    frsign_index.write_index(
        root / frsign_index.INDEX,
        pd.DataFrame(boxes, columns=["sequence", "image", *frsign_index.BOX_COLUMNS]),
        table,
        negatives=pd.DataFrame(empty, columns=["sequence", "image", "fullpath"]),
        made_from=json.dumps(made_from, sort_keys=True),
    )


def _describe(recording: Recording) -> dict[str, object]:
    spec = recording.spec
    return {
        "sequence": recording.sequence,
        "CameraInfo_bayerTileFormat": "RGGB",
        "CameraInfo_sensorResolution": f"{spec.size[0]}x{spec.size[1]}",
        "context": spec.context,
        "datetime": pd.Timestamp(recording.start),
        "fps": _FPS,
        "sensor_id": f"{SENSOR}_1",
        "sensor_type": SENSOR,
        "state": spec.state,
        "type": spec.chassis,
        "on_track": spec.on_track,
        "video": recording.folder,
        "video_name": recording.folder.removesuffix("_ipl_image"),
        "optic": 25,
        "image_format": "PNG8",
    }


def _check(sequences: int, frames: int, size: tuple[int, int], negatives: float) -> None:
    for name, value, low in (("sequences", sequences, 1), ("frames", frames, 1), ("width", size[0], 160)):
        if value < low:
            raise ConfigError(f"{name}={value}; expected at least {low}")
    if size[1] < 100:
        raise ConfigError(f"height={size[1]}; expected at least 100")
    if not 0 <= negatives < 1:
        raise ConfigError(f"negatives={negatives}; expected a share from 0 to below 1")


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Wait until no other process renders below `root`."""
    with (root / ".generate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_complete(root: Path, made_from: dict[str, object]) -> bool:
    index = root / frsign_index.INDEX
    if not index.exists():
        return False
    found = frsign_index.read_made_from(index)
    if found is None:
        raise ConfigError(f"{index}: a data set that was not generated; choose another folder")
    if json.loads(found) != made_from:
        return False
    return all(path.is_file() for path in frsign_index.image_paths(root))


def _clear(root: Path) -> None:
    """Remove what an earlier call rendered, the index first."""
    (root / frsign_index.INDEX).unlink(missing_ok=True)
    ours = re.compile(rf"RecFile_\d+_\d{{8}}_\d{{6}}_{SENSOR}_\d+_ipl_image")
    for folder in root.iterdir():
        if ours.fullmatch(folder.name) and folder.is_dir():
            shutil.rmtree(folder)
