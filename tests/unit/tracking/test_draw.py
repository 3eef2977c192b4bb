"""Boxes on frames, video files and GIFs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as pictures

from lab_utils.cli import main
from lab_utils.errors import DataError
from lab_utils.tracking import Observation, Step, Video
from lab_utils.tracking.draw import (
    draw_detections,
    draw_observation,
    score_figure,
    show_gif,
    show_video,
    strip,
    write_gif,
    write_tracked,
)

from . import videos

GREY = np.full((120, 160, 3), 128, np.uint8)
BOX = (40.0, 30.0, 20.0, 24.0)


def test_a_box_frames_the_object_and_leaves_it_free() -> None:
    drawn = draw_observation(GREY, Observation(BOX, 0.5))
    changed = (drawn != GREY).any(axis=2)
    assert not changed[30:54, 40:60].any()
    assert changed[28:30, 40:60].all()
    assert changed[56, 40:60].any()
    assert (GREY == 128).all()


def test_detections_wear_the_colours_of_their_classes() -> None:
    rows = [(0, 0.9, *BOX), (1, 0.5, 90.0, 30.0, 20.0, 24.0)]
    found = pd.DataFrame(rows, columns=["class_id", "score", "xmin", "ymin", "width", "height"])
    drawn = draw_detections(GREY, found, ["a (long)", "b"])
    assert [tuple(drawn[40, x]) for x in (39, 89)] == [(0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9)]
    assert (draw_detections(GREY, found[:0], ["a", "b"]) == GREY).all()


def test_what_is_lost_is_told_in_the_corner() -> None:
    changed = (draw_observation(GREY, Observation(None, 0.1)) != GREY).any(axis=2)
    assert changed[:25, :60].any()
    assert not changed[30:].any()


def test_the_video_has_every_frame_at_its_time(tmp_path: Path) -> None:
    steps = [Step(i, t, GREY, Observation(BOX if i else None, 0.5)) for i, t in enumerate([0.0, 0.5, 0.6])]
    rows: list[dict] = []
    assert write_tracked(tmp_path / "a.mp4", iter(steps), 25, rows) == 3
    assert [frame.seconds for frame in Video.open(tmp_path / "a.mp4")] == pytest.approx([0, 0.5, 0.6], abs=1e-4)
    table = pd.DataFrame(rows)
    assert list(table) == ["frame", "seconds", "xmin", "ymin", "width", "height", "score"]
    assert table["xmin"].isna().tolist() == [True, False, False]


def test_a_gif_moves_at_its_speed_and_stays_small(tmp_path: Path) -> None:
    frames = (videos.marked(i, 400, 300) for i in range(50))
    assert write_gif(tmp_path / "a.gif", frames, fps=10, width=200, most=12) == 12
    with pictures.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"], gif.info["loop"]) == (12, (200, 150), 100, 0)
    assert 'alt="a &lt;b&gt;"' in show_gif(tmp_path / "a.gif", "a <b>").data
    with pytest.raises(DataError, match="no frame"):
        write_gif(tmp_path / "b.gif", [])
    assert not (tmp_path / "b.gif").exists()


def test_a_notebook_carries_small_video_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = videos.make(tmp_path / "a.mp4")
    assert "data:video/mp4;base64" in show_video(path)._repr_html_()
    monkeypatch.setattr("lab_utils.tracking.draw._EMBEDDED", 10)
    assert "base64" not in show_video(path)._repr_html_()


def test_a_strip_holds_its_frames_in_order() -> None:
    picture = strip([np.full((40, 60, 3), level, np.uint8) for level in (10, 20, 30)], columns=2)
    assert picture.size == (120, 80)
    assert [picture.getpixel(at)[0] for at in ((5, 5), (65, 5), (5, 45), (65, 45))] == [10, 20, 30, 0]


def test_the_scores_figure_marks_losses() -> None:
    rows = pd.DataFrame({"frame": range(6), "score": [1, 0.9, 0.2, 0.2, 0.8, 0.1], "xmin": [1, 1, None, None, 1, None]})
    axis = score_figure(rows, lost=0.4, found=0.7).axes[0]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axis.patches]
    assert spans == [(1.5, 3.5), (4.5, 5.5)]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["lost", "lost at 0.40", "found at 0.70"]


def _moving(path: Path, frames: int = 12) -> Path:
    from lab_utils.tracking import write_video

    write_video(path, (videos.square(i, (20 + 2 * min(i, 50), 40)) for i in range(frames)), quality=15)
    return path


def test_the_command_writes_video_and_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = _moving(tmp_path / "a.mp4"), tmp_path / "o" / "b.mp4"
    assert main(["track", str(path), "--box", "20,40,24,24", "--tracker", "kcf", "--out", str(out)]) == 0
    assert "12 frames, lost in 0" in capsys.readouterr().out
    assert len(list(Video.open(out))) == 12
    table = pd.read_csv(out.with_suffix(".csv"))
    assert table["xmin"].to_numpy() == pytest.approx(20 + 2 * np.arange(12), abs=3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--box", "1,2,3"], "invalid box (x,y,width,height) value: '1,2,3'"),
        (["--box", "1,2,x,4"], "invalid box"),
        (["--box", "1,2,0,4"], "above 0"),
        (["--box", "500,2,10,10"], "outside of the frame of 160 x 120 pixels"),
        (["--box", "20,40,24,24", "--tracker", "magic"], "invalid choice"),
        (["--box", "20,40,24,24", "--tracker", "siamrpn"], "needs --model"),
        (["--box", "20,40,24,24", "--tracker", "kcf", "--model", "m"], "no weights"),
        (["--box", "20,40,24,24", "--out", "a.avi"], "ends in .mp4"),
    ],
)
def test_a_mistake_is_told_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    path = _moving(tmp_path / "a.mp4", frames=2)
    try:
        code = main(["track", str(path), *arguments])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert said in told[-1]
    assert list(tmp_path.iterdir()) == [path]


def test_the_video_itself_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _moving(tmp_path / "a.mp4", frames=2)
    before = path.read_bytes()
    assert main(["track", str(path), "--box", "20,40,24,24", "--tracker", "kcf", "--out", str(path)]) == 2
    assert main(["track", str(tmp_path / "b.mp4"), "--box", "20,40,24,24"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_an_interrupted_command_leaves_a_film_and_the_next_starts_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = _moving(tmp_path / "a.mp4", frames=300), tmp_path / "b.mp4"
    arguments = ["track", str(path), "--box", "20,40,24,24", "--tracker", "kcf", "--out", str(out)]
    command = [sys.executable, "-m", "lab_utils.cli", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "b.partial.mp4").exists() and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "b.partial.mp4 plays, the next run starts over" in said
    assert not out.exists()
    left = len(list(Video.open(tmp_path / "b.partial.mp4")))
    assert 1 <= left < 300
    assert main(arguments) == 0
    assert f"b.partial.mp4: {left} frames of a run that was stopped; starting over" in capsys.readouterr().out
    assert len(list(Video.open(out))) == 300
    assert not (tmp_path / "b.partial.mp4").exists()


def test_what_is_left_of_a_run_that_was_killed_may_not_play(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = _moving(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    (tmp_path / "b.partial.mp4").write_bytes(b"")
    assert main(["track", str(path), "--box", "20,40,24,24", "--tracker", "kcf", "--out", str(out)]) == 0
    assert "nothing that plays of a run that was stopped" in capsys.readouterr().out
    assert len(list(Video.open(out))) == 12
