"""The first box: four numbers, the ground truth, or the mouse."""

from pathlib import Path

import pandas as pd
import pytest

from lab_utils.errors import ConfigError
from lab_utils.tracking import choose, write_annotations
from lab_utils.tracking.clips import COLUMNS

from . import videos


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return videos.make(tmp_path / "a.mp4")


def test_numbers_come_before_the_ground_truth(video: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.mp4: no ground truth beside it"):
        choose.first_box(video)
    write_annotations(video.with_suffix(".csv"), pd.DataFrame([(0, 1, 0, 4, 5, 6, 7, 1.0)], columns=COLUMNS))
    assert choose.first_box(video) == (4, 5, 6, 7)
    assert choose.first_box(video, "10, 20.5,8,8") == (10, 20.5, 8, 8)


@pytest.mark.parametrize(
    ("numbers", "said"), [("1,2,x,4", "four numbers"), ("1,2,3", "four numbers"), ("99,2,3,4", "outside")]
)
def test_bad_numbers_are_told(video: Path, numbers: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        choose.first_box(video, numbers)


def test_without_a_front_end_it_is_a_picture_of_the_proposal(video: Path) -> None:
    chosen = choose.BoxChoice(video, (10, 20, 8, 8))
    assert chosen.box == (10, 20, 8, 8)
    chosen._ipython_display_()


def test_what_the_mouse_has_drawn_is_the_box(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "is_live", lambda: True)
    chosen = choose.BoxChoice(video, (10, 20, 8, 8))
    assert chosen._widget.image.startswith("data:image/jpeg;base64,")
    chosen._widget.box = [50.0, 40.0, 30.0, 30.0]
    assert chosen.box == (50, 40, 14, 8)  # cut off at the frame's edges
