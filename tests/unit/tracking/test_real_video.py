"""Trackers on a real film: a plastic bag in the wind, textureless and ever of another shape, from a shaking hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT

from lab_utils.tracking import Video, track
from lab_utils.tracking.draw import row
from lab_utils.tracking.fusion import FusionTracker
from lab_utils.tracking.opencv import CorrelationTracker
from lab_utils.tracking.strips import track_strip
from lab_utils.tracking.thresholds import Thresholds

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


def test_fusion_with_a_detector_that_knows_no_bags_is_the_tracker_alone() -> None:
    nothing = pd.DataFrame(columns=["class_id", "score", "xmin", "ymin", "width", "height"])
    fusion = FusionTracker(CorrelationTracker("KCF"), lambda frame: nothing, Thresholds(0.5, 0.5))
    fused = [row(step) for step in track(FILM, BOX, fusion)]
    alone = [row(step) for step in track(FILM, BOX, CorrelationTracker("KCF"))]
    assert len(fused) == len(alone) == 196
    followed = pd.DataFrame(fused)["xmin"].notna()
    pd.testing.assert_frame_equal(pd.DataFrame(fused)[followed], pd.DataFrame(alone)[followed])
    strip = track_strip(FILM, {"fusion": pd.DataFrame(fused), "KCF": pd.DataFrame(alone)})
    assert strip.size == (4 * 360, 2 * 270)
