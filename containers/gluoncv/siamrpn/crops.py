"""What training sees of the clips: squares around each target, kept as JPEG."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from . import geometry, video
from .clips import Clip, Track
from .names import Settings

QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]
SMALLEST = 0.5  # share of a target in sight to be learned


@dataclass(frozen=True)
class Crop:
    """A square with the target in its centre: its JPEG, the frame's number and the target's sides [2] in the square."""

    jpeg: bytes
    frame: int
    sides: np.ndarray

    def picture(self) -> np.ndarray:
        """[side, side, 3] uint8 BGR."""
        return cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)


@dataclass(frozen=True)
class Target:
    """The squares of one track of class `class_id`: with it in sight, and of where it last was while it is not."""

    class_id: int
    seen: list[Crop] = field(default_factory=list)
    gone: list[Crop] = field(default_factory=list)


def collect(clips: list[Clip], side: int, per_track: int, settings: Settings) -> list[Target]:
    """Squares of `side` pixels of about `per_track` frames of each track, evenly over the clip."""
    return [target for clip in clips for target in _targets(clip, side, per_track, settings) if target.seen]


def _targets(clip: Clip, side: int, per_track: int, settings: Settings) -> list[Target]:
    plans = [dict(_plan(track, clip.count, per_track)) for track in clip.tracks]
    targets = [Target(track.class_id) for track in clip.tracks]
    for number, _, picture in video.frames(clip.path, lambda number: any(number in plan for plan in plans)):
        for plan, target in zip(plans, targets, strict=True):
            if number in plan:
                box, seen = plan[number]
                square, sides = geometry.cut(picture, box, side, settings)
                jpeg = cv2.imencode(".jpg", square, QUALITY)[1].tobytes()
                (target.seen if seen else target.gone).append(Crop(jpeg, number, sides))
    return targets


def _plan(track: Track, count: int, per_track: int) -> Iterator[tuple[int, tuple[np.ndarray, bool]]]:
    """Frames to look at, each with the box to cut around and whether the target is in sight there.

    A frame that shows less than SMALLEST of the target but some of it teaches neither.
    """
    visibility = np.zeros(count)
    visibility[track.frames] = track.visibility
    boxes = dict(zip(track.frames.tolist(), track.boxes, strict=True))
    shown = np.flatnonzero(visibility >= SMALLEST)
    for number in np.unique(np.linspace(0, count - 1, min(per_track, count)).round().astype(int)).tolist():
        before = shown[shown <= number]
        if len(before) and (visibility[number] >= SMALLEST or visibility[number] == 0):
            yield number, (boxes[int(before[-1])], bool(visibility[number]))
