"""A data set shaped like LISA Traffic Signs, for machines without it: the layout, the names, and what is awkward there.

`allAnnotations.csv`, tracks of about 30 frames below `vid0/`, `vid1/` ..., PNG files, some of them grayscale, frames
without signs in `negatives/`; 640 x 480 to 1024 x 522 pixels, small signs that grow as the car comes closer, few tags
with many signs, and here and there a second sign. The signs are drawn (`glyphs`); what LISA shows in photographs, this
does not. The pictures are this project's own and under its licence, MIT-0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm.auto import tqdm

from lab_utils import atomic
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError
from lab_utils.formats import lisa

from .coco_shaped import backdrop
from .generate import only_one
from .glyphs import draw, outline

VERSION = 1
SIGNS = {  # LISA's tag -> number of the drawn sign: outline, ten times the filling
    "stop": 30,
    "pedestrianCrossing": 63,
    "signalAhead": 3,
    "yield": 32,
    "keepRight": 57,
    "speedLimit25": 41,
    "speedLimit35": 11,
    "merge": 23,
    "stopAhead": 13,
    "schoolSpeedLimit25": 71,
    "laneEnds": 73,
    "turnRight": 69,
    "curveLeft": 8,
    "dip": 53,
}
_MADE_FROM = "made_from.json"
_SHAPES = ((640, 480), (704, 480), (1024, 522))
_SCALE = 1024  # the longest side that LISA's sizes are for
_GRAY, _SECOND = 0.3, 0.25  # shares of tracks without colour, with a second sign
_EVERY, _NEGATIVES = 10, 3  # every so many tracks, so many frames without signs
_GAP = 400  # frames between the tracks of a drive


@dataclass(frozen=True)
class _Sign:
    """A sign by the road: where it appears and how far it drifts, in shares of the picture; its last size in pixels."""

    tag: str
    place: np.ndarray
    drift: float
    side: float


def generate(
    root: str | Path, *, tracks: int = 40, frames: int = 30, longest: int = _SCALE, seed: int = 0, progress: bool = True
) -> DetectionDataset:
    """Render `tracks` tracks below `root`, or read them if they are there.

    The same arguments give the same pictures, and a track is the same whatever the number of tracks.

    Args:
        root: folder of the data set.
        frames: frames a track, give or take a fifth.
        longest: the longest side of the widest picture in pixels.

    Raises:
        ConfigError: an argument is out of range, or `root` holds annotations that were not generated.
    """
    for name, value, low in (("tracks", tracks, 1), ("frames", frames, 2), ("longest", longest, 160)):
        if value < low:
            raise ConfigError(f"{name}={value}; expected at least {low}")
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    made_from = {"version": VERSION, "tracks": tracks, "frames": frames, "longest": longest, "seed": seed}
    with only_one(root):
        if not _is_complete(root, made_from):
            _clear(root)
            atomic.write_json(root / _MADE_FROM, made_from)
            rendered = list(_render_all(root, tracks, frames, longest / _SCALE, seed, progress))
            lisa.write(_dataset(root, rendered), root)
    return lisa.read(root, classes=[tag for tag in SIGNS if tag in _tags(root)])


def track(
    index: int, frames: int = 30, scale: float = 1.0, seed: int = 0
) -> Iterator[tuple[Image.Image, list[dict[str, Any]]]]:
    """The frames of track number `index`, RGB or L, and the boxes in each: `tag`, xmin, ymin, width, height."""
    rng = np.random.default_rng((seed, index))
    width, height = (round(side * scale) for side in _SHAPES[rng.integers(len(_SHAPES))])
    street = backdrop(rng, (round(width * 1.5), round(height * 1.5)))
    gray = rng.random() < _GRAY
    signs = [_sign(rng, min(width, height), side) for side in (1, -1)[: 1 + (rng.random() < _SECOND)]]
    count = max(round(frames * rng.uniform(0.8, 1.2)), 2)
    for near in np.linspace(0, 1, count):
        image = _ahead(street, (width, height), near)
        boxes = [box for sign in signs if (box := _drawn(image, sign, near, rng))]
        if boxes:  # the track ends where the sign has left the picture
            yield (image.convert("L") if gray else image), boxes


def _sign(rng: np.random.Generator, extent: int, side: int) -> _Sign:
    rank = min(int(rng.exponential(3.2)), len(SIGNS) - 1)
    place = np.array([0.5 + side * rng.uniform(0.05, 0.15), rng.uniform(0.35, 0.5)])
    return _Sign(list(SIGNS)[rank], place, side * rng.uniform(0.15, 0.25), extent * rng.uniform(0.1, 0.3))


def _ahead(street: Image.Image, size: tuple[int, int], near: float) -> Image.Image:
    """The part of the street in view: it grows as the car comes closer."""
    view = np.array(street.size) * (0.98 - 0.2 * near)
    low = (np.array(street.size) - view) / 2
    return street.resize(size, Image.Resampling.BILINEAR, box=(*low, *(low + view)))


def _drawn(image: Image.Image, sign: _Sign, near: float, rng: np.random.Generator) -> dict[str, Any] | None:
    """Draw the sign as it looks from here; None where it has left the picture."""
    side = max(sign.side * 0.13 / (1 - 0.87 * near), 6.0)  # the size goes with the inverse of the distance
    drift = np.array([sign.drift, -0.12]) * near**2
    centre = (sign.place + drift) * image.size + rng.uniform(-1, 1, 2)
    points = outline(SIGNS[sign.tag]) * side / 2 + centre
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    if (low < 2).any() or (high > np.array(image.size) - 2).any():
        return None
    draw(image, points, SIGNS[sign.tag])
    return {"tag": sign.tag, "xmin": low[0], "ymin": low[1], "width": (high - low)[0], "height": (high - low)[1]}


def _render_all(
    root: Path, tracks: int, frames: int, scale: float, seed: int, progress: bool
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Row and boxes of each frame, its file written."""
    for index in tqdm(range(tracks), desc="rendering", unit="track", disable=not progress):
        drive, start = f"vid{index % 12}", index // 12 * _GAP
        name = ""
        for number, (image, boxes) in enumerate(track(index, frames, scale, seed)):
            name = name or f"{boxes[0]['tag']}_{1323800000 + 100 * index}.avi"
            file = f"{drive}/frameAnnotations-vid_cmp.avi_annotations/{name}_image{number}.png"
            row = {"file_name": file, "width": image.width, "height": image.height}
            row |= {"group": name, "origin_file": f"{drive}/vid_cmp.avi", "origin_frame": start + number}
            _save(image, root / file)
            yield row | {"track_frame": number}, boxes
        if index % _EVERY == 0:
            yield from _negatives(root, index, scale, seed)


def _negatives(root: Path, index: int, scale: float, seed: int) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Streets without a sign."""
    for number in range(_NEGATIVES):
        rng = np.random.default_rng((seed, index, number))
        width, height = (round(side * scale) for side in _SHAPES[rng.integers(len(_SHAPES))])
        row = {"file_name": f"{lisa.NEGATIVES}/street_{index}_{number}.png", "width": width, "height": height}
        _save(backdrop(rng, (width, height)), root / str(row["file_name"]))
        yield row, []


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, compress_level=1)


def _dataset(root: Path, rendered: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> DetectionDataset:
    images = pd.DataFrame([row for row, _ in rendered]).assign(image_id=range(len(rendered)))
    classes = list(SIGNS)
    boxes = [
        {"image_id": i, "class_id": classes.index(box["tag"]), **box}
        for i, (_, found) in enumerate(rendered)
        for box in found
    ]
    return DetectionDataset.from_frames(images, pd.DataFrame(boxes), classes, root=root)


def _clear(root: Path) -> None:
    """Remove what an earlier call rendered."""
    (root / lisa.ANNOTATIONS).unlink(missing_ok=True)
    for pattern in ("vid*/frameAnnotations-vid_cmp.avi_annotations/*.png", f"{lisa.NEGATIVES}/street_*.png"):
        for file in root.glob(pattern):
            file.unlink()


def _tags(root: Path) -> set[str]:
    lines = (root / lisa.ANNOTATIONS).read_text(encoding="utf-8").splitlines()
    return {line.split(";")[1] for line in lines[1:]}


def _is_complete(root: Path, made_from: dict[str, int]) -> bool:
    if (root / lisa.ANNOTATIONS).exists() and not (root / _MADE_FROM).exists():
        raise ConfigError(f"{root}: a data set that was not generated; choose another folder")
    if not (root / lisa.ANNOTATIONS).exists():
        return False
    return json.loads((root / _MADE_FROM).read_text(encoding="utf-8")) == made_from
