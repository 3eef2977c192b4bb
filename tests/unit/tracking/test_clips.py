"""Clips and their ground truth on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lab_utils.errors import DataError
from lab_utils.tracking import Clip, find_clips, read_annotations, write_annotations
from lab_utils.tracking.clips import COLUMNS

from . import videos

ROWS = [
    (0, 1, 3, 10.0, 20.5, 8.0, 12.25, 1.0),
    (0, 2, 0, 40.0, 20.0, 8.0, 12.0, 0.5),
    (2, 1, 3, 12.0, 21.0, 8.0, 12.0, 0.125),
]
TABLE = pd.DataFrame(ROWS, columns=COLUMNS)


def test_annotations_survive_the_disk(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a.csv", TABLE)
    assert (tmp_path / "a.csv").read_text().splitlines()[:2] == [
        "frame,track_id,class_id,xmin,ymin,width,height,visibility",
        "0,1,3,10.0,20.5,8.0,12.25,1.0",
    ]
    pd.testing.assert_frame_equal(read_annotations(tmp_path / "a.csv"), TABLE)


def test_rows_come_ordered(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a.csv", TABLE[::-1])
    pd.testing.assert_frame_equal(read_annotations(tmp_path / "a.csv"), TABLE)


def test_a_clip_without_objects_is_one(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a.csv", TABLE[:0])
    assert len(read_annotations(tmp_path / "a.csv")) == 0


def test_a_track_has_a_box_or_nan_for_every_frame(tmp_path: Path) -> None:
    clip = Clip(videos.make(tmp_path / "a.mp4", frames=4))
    write_annotations(tmp_path / "a.csv", TABLE)
    boxes = clip.boxes(4)
    assert boxes.shape == (4, 4)
    assert boxes[2].tolist() == [12, 21, 8, 12]
    assert np.isnan(boxes[[1, 3]]).all()
    assert clip.boxes(4, track_id=2)[0].tolist() == [40, 20, 8, 12]
    assert clip.visibility(4).tolist() == [1, 0, 0.125, 0]
    assert (clip.name, clip.video.count) == ("a", 4)


def test_clips_are_found_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        videos.make(tmp_path / f"{name}.mp4")
        write_annotations(tmp_path / f"{name}.csv", TABLE)
    videos.make(tmp_path / "without_truth.mp4")
    assert [clip.name for clip in find_clips(tmp_path)] == ["a", "b"]
    with pytest.raises(DataError, match="no clip"):
        find_clips(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("frame", -1, "frame, track_id and class_id whole"),
        ("track_id", 1.5, "frame, track_id and class_id whole"),
        ("xmin", np.nan, "numbers in every column"),
        ("height", np.inf, "numbers in every column"),
        ("width", 0, "width and height above 0"),
        ("visibility", 0, "visibility above 0"),
        ("visibility", 1.2, "visibility above 0"),
        ("track_id", 1, "one row a frame and track"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, column: str, value: float, said: str) -> None:
    bad = TABLE.astype("float64")
    bad.loc[1, column] = value
    bad.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=rf"a\.csv:3: expected {said}"):
        read_annotations(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"b\.csv:3"):
        write_annotations(tmp_path / "b.csv", bad)
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "not readable"), ("frame,track_id\n0,1\n", "header frame,track_id"), (",".join(COLUMNS) + "\nx" * 8, "not")],
)
def test_another_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=rf"a\.csv: {said}"):
        read_annotations(tmp_path / "a.csv")
