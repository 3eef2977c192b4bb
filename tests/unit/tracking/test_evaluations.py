"""One-pass and supervised evaluation, and the trackers of OpenCV, on a square that moves over noise."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking import Box, Clip, Observation, ope, write_annotations, write_video
from lab_utils.tracking.clips import COLUMNS
from lab_utils.tracking.opencv import CorrelationTracker
from lab_utils.tracking.supervised import BURN_IN, WAIT, supervise, supervised_table
from lab_utils.tracking.video import Image

from . import videos

FRAMES = 40


def _at(index: int) -> tuple[float, float]:
    return 20 + 2 * index, 40 + 10 * np.sin(index / 6)


def _clip(folder: Path, name: str = "a", hidden: range = range(0)) -> Clip:
    folder.mkdir(exist_ok=True)
    write_video(folder / f"{name}.mp4", (videos.square(i, _at(i)) for i in range(FRAMES)), quality=15)
    rows = [(i, 1, 0, *(round(v) for v in _at(i)), 24, 24, 1.0) for i in range(FRAMES) if i not in hidden]
    write_annotations(folder / f"{name}.csv", pd.DataFrame(rows, columns=COLUMNS))
    return Clip(folder / f"{name}.mp4")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return _clip(tmp_path_factory.mktemp("clips"))


class Scripted:
    """Follows the square exactly until frame `until`, counted from its first start; then it stays behind."""

    def __init__(self, until: int = FRAMES, lost: bool = False) -> None:
        self.until, self.lost, self.starts = until, lost, []

    def start(self, frame: Image, box: Box) -> None:
        self.starts.append(box)
        self.index = round((box[0] - 20) / 2)
        self.failed = len(self.starts) > 1

    def update(self, frame: Image) -> Observation:
        self.index += 1
        if self.index >= self.until and not self.failed:
            return Observation(None, 0.1) if self.lost else Observation((0, 0, 5, 5), 0.2)
        return Observation((*(float(round(v)) for v in _at(self.index)), 24.0, 24.0), 0.9)


@pytest.mark.parametrize("kind", ["CSRT", "KCF"])
def test_opencvs_trackers_follow_a_square(clip: Clip, kind: str) -> None:
    run = ope.run(clip, CorrelationTracker(kind))
    evaluation = ope.Evaluation({kind: [run]})
    assert evaluation.per_clip()["IoU"][0] > 0.7
    assert run.fps > 5
    assert set(run.scores.tolist()) <= {0.0, 1.0}


def test_opencvs_trackers_say_that_they_lost_it(clip: Clip) -> None:
    tracker = CorrelationTracker("CSRT")
    tracker.start(clip.video.frame(0), (20, 40, 24, 24))
    assert tracker.update(videos.square(0, (120, 80))) == Observation(None, 0.0)


def test_another_build_of_opencv_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "TrackerCSRT_create")
    with pytest.raises(ConfigError, match="opencv-contrib-python-headless"):
        CorrelationTracker("CSRT")


def test_one_pass_by_hand(clip: Clip) -> None:
    runs = {"exact": Scripted(), "half": Scripted(until=20), "says so": Scripted(until=20, lost=True)}
    evaluation = ope.evaluate([clip], runs, progress=False)
    table = evaluation.table(resamples=50)
    assert table.loc["exact", "IoU"] == 1
    assert table.loc["exact", "AUC"] == pytest.approx(20 / 21)  # no overlap is above the last threshold, 1
    for name in ("half", "says so"):
        assert table.loc[name, "IoU"] == pytest.approx(0.5)
        assert table.loc[name, "precision"] == pytest.approx(0.5)
    assert (table["AUC low"] == table["AUC"]).all()  # of one clip there is one mean
    assert (table["fps"] > 100).all()
    assert [run.scores.min() for runs in evaluation.runs.values() for run in runs] == [0.9, 0.2, 0.1]


def test_the_interval_is_over_clips(tmp_path: Path) -> None:
    clips = [_clip(tmp_path, name) for name in "ab"]
    good, bad = ope.run(clips[0], Scripted()), ope.run(clips[1], Scripted(until=20))
    evaluation = ope.Evaluation({"t": [good, bad]})
    row = evaluation.table().loc["t"]
    assert (row["AUC low"], row["AUC high"]) == pytest.approx((10 / 21, 20 / 21))
    assert row["AUC"] == pytest.approx(15 / 21)
    pd.testing.assert_frame_equal(evaluation.table(), evaluation.table())


def test_the_figure_names_what_it_shows(clip: Clip) -> None:
    figure = ope.evaluate([clip], {"exact": Scripted(), "half": Scripted(until=20)}, progress=False).figure()
    success, precision = figure.axes
    assert [text.get_text() for text in success.get_legend().get_texts()] == ["exact 0.95", "half 0.48"]
    assert [text.get_text() for text in precision.get_legend().get_texts()] == ["exact 1.00", "half 0.50"]
    assert len(success.collections) == 2  # the bands


def test_supervision_starts_again_after_five_frames(clip: Clip) -> None:
    tracker = Scripted(until=20)
    result = supervise(clip, tracker)
    assert result.failures == (20,)
    assert [round((box[0] - 20) / 2) for box in tracker.starts] == [0, 20 + WAIT]
    counted = np.flatnonzero(~np.isnan(result.overlaps)).tolist()
    assert counted == [*range(BURN_IN, 20), *range(25 + BURN_IN, FRAMES)]
    assert (result.accuracy, result.robustness) == (1.0, 100 / FRAMES)


def test_what_is_hidden_is_no_failure(tmp_path: Path) -> None:
    hidden = _clip(tmp_path, hidden=range(20, 32))
    tracker = Scripted(until=20, lost=True)
    result = supervise(hidden, tracker)
    assert result.failures == (32,)
    assert round((tracker.starts[1][0] - 20) / 2) == 32 + WAIT
    table = supervised_table([hidden], {"exact": Scripted(), "half": Scripted(until=20)})
    assert table["failures"].tolist() == [0, 1]
    assert table.loc["half", "robustness"] == pytest.approx(100 / FRAMES)


def test_a_clip_without_its_target_at_the_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv: track 1 has no box in frame 0"):
        ope.run(_clip(tmp_path, hidden=range(3)), Scripted())
    with pytest.raises(DataError, match="no clip to evaluate on"):
        ope.evaluate([], {})
