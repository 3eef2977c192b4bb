"""The loop that feeds a tracker, and the box it starts with."""

import math
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking import Box, Observation, Tracker, track
from lab_utils.tracking.tracker import checked_box
from lab_utils.tracking.video import Image

from . import videos


class Still:
    """Says that the object stays where it was, a little less sure in each frame."""

    def start(self, frame: Image, box: Box) -> None:
        self.box, self.score = box, 1.0

    def update(self, frame: Image) -> Observation:
        self.score *= 0.5
        return Observation(self.box, self.score)


def test_every_frame_has_a_step(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4", frames=4)
    tracker: Tracker = Still()
    steps = list(track(path, (5, 6, 10, 12), tracker))
    assert [step.frame for step in steps] == [0, 1, 2, 3]
    assert [step.observation.score for step in steps] == [1, 0.5, 0.25, 0.125]
    assert all(step.observation.box == (5, 6, 10, 12) for step in steps)
    assert [round(step.seconds, 2) for step in steps] == [0, 0.04, 0.08, 0.12]
    assert np.array_equal(steps[3].rgb, next(s.rgb for s in track(path, (5, 6, 10, 12), Still()) if s.frame == 3))


def test_mistakes_are_told_before_the_first_frame(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4")
    with pytest.raises(ConfigError, match="outside of the frame of 64 x 48 pixels"):
        track(path, (64, 0, 10, 10), Still())
    with pytest.raises(DataError, match="no such file"):
        track(tmp_path / "b.mp4", (0, 0, 9, 9), Still())


def test_a_box_that_reaches_out_is_cut_off() -> None:
    assert checked_box((-4, 40, 20, 20), 64, 48) == (0, 40, 16, 8)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((1, 2, 0, 5), "above 0"),
        ((1, 2, 5, -5), "above 0"),
        ((-20, 2, 20, 5), "outside of the frame"),
        ((63.5, 2, 5, 5), "outside of the frame"),
        ((1, 48, 5, 5), "outside of the frame"),
        ((1, math.nan, 5, 5), "four numbers"),
        ((1, 2, math.inf, 5), "four numbers"),
        ((1, 2, 3), "four numbers"),
    ],
)
def test_a_bad_box_is_refused(box: Box, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        checked_box(box, 64, 48)


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    peaks = []
    for frames in (20, 200):
        path = videos.make(tmp_path / f"{frames}.mp4", frames=frames, width=320, height=240)
        tracemalloc.start()
        for _ in _silently(track(path, (5, 6, 10, 12), Still())):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2 * 320 * 240 * 3


def _silently(steps: Iterator[object]) -> Iterator[None]:
    return (None for _ in steps)
