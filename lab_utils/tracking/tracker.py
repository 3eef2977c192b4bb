"""One interface for every tracker of a single object, and the loop that feeds it."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import NamedTuple, Protocol

from lab_utils.errors import ConfigError
from lab_utils.tracking.video import Image, Video

Box = tuple[float, float, float, float]


class Observation(NamedTuple):
    """What a tracker says of a frame.

    Attributes:
        box: (xmin, ymin, width, height) in pixels; None when it takes the object for lost.
        score: how sure it is, 0 to 1.
    """

    box: Box | None
    score: float


class Tracker(Protocol):
    """Follows one object; frames are RGB uint8 [height, width, 3], all of one size."""

    def start(self, frame: Image, box: Box) -> None:
        """Take up the object in `box` (xmin, ymin, width, height) of `frame`; forgets what it followed before."""

    def update(self, frame: Image) -> Observation:
        """Find the object in the next frame."""


class Step(NamedTuple):
    """One frame of a track: its number from 0, when it is shown, the picture and what the tracker said."""

    frame: int
    seconds: float
    rgb: Image
    observation: Observation


def track(video: Video | str | Path, first_box: Box, tracker: Tracker) -> Iterator[Step]:
    """Follow an object through a video, a frame at a time; memory does not grow with the video.

    Args:
        video: the video, or its path.
        first_box: (xmin, ymin, width, height) of the object in the first frame, in pixels. A part that reaches out of
            the frame is cut off.
        tracker: the tracker; it is started on the first frame.

    Returns:
        A step for every frame; the first one's observation is `first_box` with score 1.

    Raises:
        ConfigError: the box has no area or lies outside of the frame.
        DataError: the video cannot be read.
    """
    video = video if isinstance(video, Video) else Video.open(video)
    box = checked_box(first_box, video.width, video.height)
    return _steps(video, box, tracker)


def _steps(video: Video, box: Box, tracker: Tracker) -> Iterator[Step]:
    for index, (rgb, seconds) in enumerate(video):
        if index:
            yield Step(index, seconds, rgb, tracker.update(rgb))
        else:
            tracker.start(rgb, box)
            yield Step(0, seconds, rgb, Observation(box, 1.0))


def checked_box(box: Box, width: int, height: int) -> Box:
    """A box (xmin, ymin, width, height) cut off at the edges of a frame of `width` x `height` pixels.

    Raises:
        ConfigError: not four finite numbers, no area, or less than one pixel of it inside the frame.
    """
    told = "box " + ",".join(f"{value:g}" for value in box)
    if len(box) != 4 or not all(map(isfinite, box)):
        raise ConfigError(f"{told}: expected four numbers x,y,width,height")
    if box[2] <= 0 or box[3] <= 0:
        raise ConfigError(f"{told}: expected a width and a height above 0")
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[0] + box[2], float(width)), min(box[1] + box[3], float(height))
    if right - left < 1 or bottom - top < 1:
        raise ConfigError(f"{told}: outside of the frame of {width} x {height} pixels")
    return left, top, right - left, bottom - top
