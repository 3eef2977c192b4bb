"""The clips of a tracking job: what is read, what is cut out of them, and what is refused, with its file and line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sagemaker_contract import UserError
from siamrpn import clips, crops, geometry, video
from siamrpn.names import Settings
from unit.containers.made import write_clips

SETTINGS = Settings()
HEADER = "frame,track_id,class_id,xmin,ymin,width,height,visibility"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_clips(tmp_path / "clips", 2)
    return tmp_path / "clips"


def test_clips_are_read_with_their_targets(folder: Path) -> None:
    first, second = clips.load(folder)
    assert (first.path.name, first.size, first.count) == ("0.mp4", (160, 120), 24)
    track = second.tracks[0]
    assert track.frames.tolist() == [*range(10), *range(14, 24)]
    assert track.boxes.shape == (20, 4)
    assert track.visibility.tolist() == [1.0] * 20


def test_targets_are_in_the_order_of_their_ids_without_rows_of_nothing(folder: Path) -> None:
    rows = ["0,7,0,5,5,10,10,0.5", "0,2,0,9,9,10,10,1", "1,2,0,9,9,0,0,0"]
    (folder / "0.csv").write_text("\n".join([HEADER, *rows]))
    tracks = clips.load(folder)[0].tracks
    assert [track.boxes.tolist() for track in tracks] == [[[9, 9, 10, 10]], [[5, 5, 10, 10]]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "0.csv: no rows"),
        (["0,1,0,1,1,5,5"], "0.csv, line 2: expected 8 numbers"),
        (["0,1,0,1,1,5,5,1", "1,1,0,a,1,5,5,1"], "0.csv, line 3: expected 8 numbers"),
        (["0,1,0,nan,1,5,5,1"], "0.csv, line 2: expected 8 numbers"),
        (["24,1,0,1,1,5,5,1"], "0.csv, line 2: frame 24, the video has the frames 0 to 23"),
        (["0.5,1,0,1,1,5,5,1"], "0.csv, line 2: frame 0.5"),
        (["0,1,0,1,1,5,5,2"], "0.csv, line 2: visibility 2, expected 0 to 1"),
        (["0,1,0,1,1,0,5,1"], "0.csv, line 2: box of width 0 and height 5"),
        (["0,1,0,160,1,5,5,1"], "0.csv, line 2: the box is outside the video's 160x120 pixels"),
        (["0,1,0,1,-5,5,5,1"], "0.csv, line 2: the box is outside"),
        (["0,1,0,1,1,5,5,0"], "0.csv: no target is ever in sight"),
        (["3,1,0,1,1,5,5,1", "3,1,0,2,2,5,5,1"], "0.csv: track 1 has two boxes in frame 3"),
    ],
)
def test_a_bad_table_is_refused(folder: Path, rows: list[str], message: str) -> None:
    (folder / "0.csv").write_text("\n".join([HEADER, *rows]))
    with pytest.raises(UserError, match=message):
        clips.load(folder)


def no_table(folder: Path) -> None:
    (folder / "0.csv").unlink()


def another_header(folder: Path) -> None:
    (folder / "0.csv").write_text("x,y\n1,2\n")


def no_video(folder: Path) -> None:
    (folder / "0.mp4").write_bytes(b"nothing")


def broken_video(folder: Path) -> None:
    path = folder / "0.mp4"
    path.write_bytes(path.read_bytes()[:200])


def no_clips(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (no_table, "0.mp4: no 0.csv beside it"),
        (another_header, f"0.csv, line 1: expected the columns {HEADER}"),
        (no_video, "0.mp4: not a readable video"),
        (broken_video, "0.mp4: no video in it"),
        (no_clips, "clips: no clip, expected <name>.mp4"),
    ],
)
def test_a_bad_file_is_refused(folder: Path, harm: Callable[[Path], None], message: str) -> None:
    harm(folder)
    with pytest.raises(UserError, match=message):
        clips.load(folder)


def test_squares_show_the_target_in_their_middle_and_where_it_was(folder: Path) -> None:
    targets = crops.collect(clips.load(folder), 255, 12, SETTINGS)
    assert [(len(target.seen), len(target.gone)) for target in targets] == [(10, 2), (10, 2)]
    crop = targets[0].seen[0]
    assert crop.picture().shape == (255, 255, 3)
    assert crop.sides == pytest.approx(np.array([18, 24]) * 127 / np.sqrt((18 + 21) * (24 + 21)))


def test_a_cut_puts_the_boxs_centre_on_the_middle_pixel() -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:60, 30:50] = 255
    square, sides = geometry.cut(picture, np.array([30.0, 40, 20, 20]), 255, SETTINGS)
    rows, columns = np.nonzero(square[..., 0] > 127)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(127, abs=0.5)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(127, abs=0.5)
    assert columns.max() - columns.min() + 1 == pytest.approx(sides[0], abs=1)


def test_overlaps() -> None:
    first = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    second = np.array([[0.0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 5, 5]])
    assert geometry.iou(first, second) == pytest.approx([1, 1 / 3, 0])


def test_what_was_written_before_a_sudden_end_is_playable(tmp_path: Path) -> None:
    writer = video.Writer(tmp_path / "x.mp4", (33, 21))
    picture = np.random.default_rng(0).integers(0, 255, (21, 33, 3), np.uint8)
    for number in range(80):
        writer.write(picture, number / 25)
    (tmp_path / "y.mp4").write_bytes((tmp_path / "x.mp4").read_bytes())  # before the encoder's end
    writer.close()
    assert len(list(video.frames(tmp_path / "x.mp4"))) == 80
    found = list(video.frames(tmp_path / "y.mp4"))
    assert len(found) >= 25
    assert found[0].picture.shape == (22, 34, 3)
    assert [frame.seconds for frame in found[:3]] == pytest.approx([0, 0.04, 0.08], abs=1e-3)


def test_a_picture_held_on_its_side_is_turned_upright() -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert video.upright(picture, 90)[..., 0].tolist() == [[2, 5], [1, 4], [0, 3]]
    assert video.upright(picture, -180)[..., 0].tolist() == [[5, 4, 3], [2, 1, 0]]
    assert video.upright(picture, 0).tolist() == picture.tolist()
