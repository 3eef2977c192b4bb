"""Trackers on a real film: a plastic bag in the wind, textureless and ever of another shape, from a shaking hand."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT

from lab_utils.tracking import Video, track
from lab_utils.tracking.opencv import CorrelationTracker

SHARED = Path(os.environ.get("LABS_SHARED_DATA", PROJECT.parent / "shared" / "data"))
FILM = SHARED / "tracking" / "bag.avi"
BOX = (316.0, 140.0, 112.0, 114.0)  # by eye, in frame 0

pytestmark = pytest.mark.skipif(not FILM.is_file(), reason=f"no {FILM}")


def test_it_is_read_whole() -> None:
    video = Video.open(FILM)
    assert (video.width, video.height, video.fps, video.count) == (480, 360, 25, 196)
    assert sum(1 for _ in video) == 196


@pytest.mark.parametrize("kind", ["CSRT", "KCF"])
def test_the_bag_is_followed_to_the_end_though_the_box_drifts(kind: str) -> None:
    """At frame 195 the bag covers about (175, 110) to (345, 250), seen by eye."""
    boxes = [step.observation.box for step in track(FILM, BOX, CorrelationTracker(kind))]
    assert len(boxes) == 196
    last = boxes[-1]
    assert last is not None
    assert np.all(np.array(last[:2]) < (345, 250))
    assert np.all(np.array(last[:2]) + last[2:] > (175, 110))
