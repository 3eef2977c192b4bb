"""Several objects at once: ids that last, and metrics equal to those of another library."""

from pathlib import Path

import motmetrics
import numpy as np
import pandas as pd
import pytest

from lab_utils import boxes
from lab_utils.errors import DataError
from lab_utils.tracking import Box, Observation, write_video
from lab_utils.tracking.clips import XYWH
from lab_utils.tracking.detection import assign, box_of
from lab_utils.tracking.mot_metrics import evaluate_tracks
from lab_utils.tracking.multi import MultiTracker, as_table, track_all
from lab_utils.tracking.thresholds import Thresholds
from lab_utils.tracking.video import Image

from . import videos

COLUMNS = ["frame", "track_id", *XYWH]
FRAMES = 40


def truth(hidden: range = range(0)) -> pd.DataFrame:
    """Two objects that move; the first is not seen in the frames `hidden`."""
    rows = [(i, 1, 20.0 + i, 40.0, 20.0, 20.0) for i in range(FRAMES) if i not in hidden]
    rows += [(i, 2, 100.0 - i, 80.0, 24.0, 24.0) for i in range(FRAMES)]
    return pd.DataFrame(rows, columns=COLUMNS)


class Mover:
    """Moves its box as object 1 or 2 does, by its size."""

    def start(self, frame: Image, box: Box) -> None:
        self.box = box

    def update(self, frame: Image) -> Observation:
        step = 1 if self.box[2] == 20 else -1
        self.box = (self.box[0] + step, *self.box[1:])
        return Observation(self.box, 0.9)


class Eye:
    """A detector that sees the truth; it counts the frames by its calls, so it must be asked in each."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table, self.frame = table.assign(class_id=table["track_id"], score=0.9), -1

    def __call__(self, frame: Image) -> pd.DataFrame:
        self.frame += 1
        return self.table[self.table["frame"] == self.frame]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    write_video(tmp_path / "a.mp4", (videos.square(0, (20, 40)) for _ in range(FRAMES)))
    return tmp_path / "a.mp4"


def test_an_object_that_was_hidden_gets_its_id_back(video: Path) -> None:
    seen = truth(hidden=range(10, 22))
    tracker = MultiTracker(Mover, Eye(seen), Thresholds(0.3, 0.5), look_every=1)
    found = as_table(track_all(video, tracker))
    assert set(found["track_id"]) == {1, 2}
    assert found[found["track_id"] == 1]["frame"].tolist() == [*range(11), *range(22, FRAMES)]
    scores = evaluate_tracks({"a": seen}, {"a": found}).loc["all"]
    assert scores["switches"] == 0
    assert scores["HOTA"] > 0.95


def test_a_new_object_gets_a_new_id(video: Path) -> None:
    table = truth()
    late = table[(table["track_id"] == 1) | (table["frame"] >= 15)]
    found = as_table(track_all(video, MultiTracker(Mover, Eye(late), Thresholds(0.3, 0.5), look_every=1)))
    assert found.groupby("track_id")["frame"].min().to_dict() == {1: 0, 2: 15}
    assert found.iloc[0][XYWH].tolist() == [20, 40, 20, 20]


def test_there_are_no_more_tracks_than_wanted(video: Path) -> None:
    table = truth()
    found = as_table(track_all(video, MultiTracker(Mover, Eye(table), Thresholds(0.3, 0.5), look_every=1, most=1)))
    assert set(found["track_id"]) == {1}


def test_detections_are_assigned_one_to_one() -> None:
    found = pd.DataFrame([(0, 0, 10, 10), (4, 0, 10, 10), (90, 90, 5, 5)], columns=XYWH)
    assert assign([(3, 0, 10, 10), (5, 0, 10, 10)], found) == {0: 0, 1: 1}
    assert assign([(50, 50, 5, 5)], found) == {}
    assert assign([], found) == assign([(0, 0, 1, 1)], found[:0]) == {}
    assert box_of(found.loc[2]) == (90, 90, 5, 5)


def recorded(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth, and tracks with misses, false alarms, noise and two changed ids."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(1, 6):
        first, at = rng.integers(0, 15), rng.uniform(0, 300, 2)
        for frame in range(first, rng.integers(30, 60)):
            at = at + rng.normal(1, 2, 2)
            rows.append((frame, number, *at, 30.0, 40.0))
    own = pd.DataFrame(rows, columns=COLUMNS)
    found = own[rng.random(len(own)) > 0.15].copy()
    found[XYWH] += rng.normal(0, 3, (len(found), 4))
    found["track_id"] += 10 * ((found["track_id"] == 2) & (found["frame"] > 25))
    swapped = found["track_id"].isin((3, 4)) & (found["frame"] > 30)
    found.loc[swapped, "track_id"] = 7 - found.loc[swapped, "track_id"]
    alarms = [(frame, 99, *rng.uniform(0, 300, 2), 30.0, 40.0) for frame in range(0, 60, 4)]
    return own, pd.concat([found, pd.DataFrame(alarms, columns=COLUMNS)], ignore_index=True)


def by_motmetrics(own: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """MOTA, IDF1 and counts by py-motmetrics, which shares no code with TrackEval."""
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for frame in range(int(max(own["frame"].max(), found["frame"].max())) + 1):
        a, b = (table[table["frame"] == frame] for table in (own, found))
        ious = boxes.iou(boxes.xywh_to_xyxy(a[XYWH]), boxes.xywh_to_xyxy(b[XYWH]))
        distances = np.where(ious >= 0.5, 1 - ious, np.nan)
        accumulator.update(a["track_id"].tolist(), b["track_id"].tolist(), distances)
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives"]
    return motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0]


@pytest.mark.parametrize("seed", range(6))
def test_the_scores_are_py_motmetrics(seed: int) -> None:
    own, found = recorded(seed)
    ours, theirs = evaluate_tracks({"a": own}, {"a": found}).loc["a"], by_motmetrics(own, found)
    for name, other in (("MOTA", "mota"), ("IDF1", "idf1")):
        assert ours[name] == pytest.approx(theirs[other], abs=1e-9)
    counts = [ours[name] for name in ("switches", "misses", "false alarms")]
    assert counts == [theirs[name] for name in ("num_switches", "num_misses", "num_false_positives")]
    assert 0 < ours["HOTA"] < 1


def test_perfect_tracks_and_none() -> None:
    own = truth()
    table = evaluate_tracks({"a": own, "b": own}, {"a": own, "b": own[:0]})
    assert table.loc["a", ["MOTA", "IDF1", "HOTA"]].tolist() == pytest.approx([1, 1, 1])
    assert table.loc["b", ["MOTA", "IDF1", "HOTA"]].tolist() == pytest.approx([0, 0, 0])
    assert table.loc["all", "MOTA"] == pytest.approx(0.5)
    assert table.loc["all", "misses"] == 2 * FRAMES


def test_mistakes_are_told() -> None:
    own = truth()
    with pytest.raises(DataError, match="tracks of b; expected a"):
        evaluate_tracks({"a": own}, {"b": own})
    with pytest.raises(DataError, match="a: two rows of one frame and track"):
        evaluate_tracks({"a": own}, {"a": pd.concat([own, own])})
