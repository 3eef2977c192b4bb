"""Rendered clips: what is hidden, leaves and comes back, and that the ground truth says so."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lab_utils.errors import ConfigError
from lab_utils.synthetic import CHASSIS, generate_clips
from lab_utils.synthetic.__main__ import main
from lab_utils.synthetic.clips import clear_journey, write_clip
from lab_utils.synthetic.film import Film, Shot, film
from lab_utils.synthetic.journeys import Journey, make_journey

SIZE, FRAMES = (480, 300), 80
SEED = 7  # an upright signal that the mast hides wholly
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def journey() -> Journey:
    return clear_journey((SEED,), frames=FRAMES, size=SIZE, light="day", weather="clear")


@pytest.fixture(scope="module")
def shots(journey: Journey) -> list[Shot]:
    return list(film(journey))


def _visibility(shots: list[Shot]) -> np.ndarray:
    return np.array([next((seen.visibility for seen in shot.seen if seen.track_id == 1), 0.0) for shot in shots])


def test_the_target_is_hidden_by_the_mast_then_leaves_and_comes_back(shots: list[Shot]) -> None:
    visibility = _visibility(shots)
    half = FRAMES // 2
    hidden, away = np.flatnonzero(visibility[:half] == 0), half + np.flatnonzero(visibility[half:] == 0)
    assert 3 <= len(hidden) <= 20
    assert 4 <= len(away) <= 25
    assert visibility[0] > 0.97
    assert visibility[hidden[-1] + 1 : away[0]].max() > 0.9
    assert visibility[-1] > 0.97


def test_without_what_is_hard_the_target_stays_in_sight() -> None:
    journey = clear_journey((1,), frames=12, size=SIZE, hard=False)
    assert journey.piers == ()
    assert max(np.abs(journey.pans)) < 0.1
    assert _visibility(list(film(journey))).min() > 0.2


def test_a_box_holds_the_plate_and_nothing_but(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(journey, scene=replace(journey.scene, sites=journey.scene.sites[:1]), piers=())
    scene = Film(bare)
    monkeypatch.setattr("lab_utils.synthetic.sites.Site.lamps", lambda _: [])
    shot = scene.shot(FRAMES - 1)
    monkeypatch.setattr("lab_utils.synthetic.painter.Painter.paste", lambda *_: None)
    changed = np.argwhere((scene.shot(FRAMES - 1).rgb != shot.rgb).any(axis=2))
    left, top, width, height = shot.seen[0].box
    assert np.abs(changed.min(axis=0)[::-1] - (left, top)).max() <= 1.5
    assert np.abs(changed.max(axis=0)[::-1] + 1 - (left + width, top + height)).max() <= 1.5


def test_visibility_is_the_share_that_is_left(journey: Journey) -> None:
    partly = next(i for i, v in enumerate(_visibility(list(film(journey)))) if 0.3 < v < 0.7)
    free = Film(replace(journey, piers=())).shot(partly)
    hidden = Film(journey).shot(partly)
    (left, top, width, height), visibility = hidden.seen[0].box, hidden.seen[0].visibility
    assert free.seen[0].box == hidden.seen[0].box
    inside = np.s_[round(top) : round(top + height), round(left) : round(left + width)]
    same = (np.abs(free.rgb[inside].astype(int) - hidden.rgb[inside]).max(axis=2) < 8).mean()
    assert same == pytest.approx(visibility, abs=0.2)


def test_it_moves_smoothly(shots: list[Shot]) -> None:
    boxes = np.array([seen.box for shot in shots for seen in shot.seen if seen.track_id == 1 and seen.visibility > 0.9])
    growth = np.diff(boxes[:8, 2:], axis=0)
    assert np.abs(growth).max() <= 1


def test_several_signals_keep_their_ids(journey: Journey, shots: list[Shot]) -> None:
    classes: dict[int, set[int]] = {}
    for shot in shots:
        for seen in shot.seen:
            classes.setdefault(seen.track_id, set()).add(seen.class_id)
    assert len(classes) >= 2
    for track_id, found in classes.items():
        assert found == {CHASSIS.index(journey.scene.sites[track_id - 1].chassis)}


def test_a_seed_gives_the_same_clip_and_another_seed_another() -> None:
    first = make_journey((1, 2), frames=10, size=SIZE)
    assert first == make_journey((1, 2), frames=10, size=SIZE)
    assert first != make_journey((1, 3), frames=10, size=SIZE)
    assert np.array_equal(Film(first).shot(3).rgb, Film(first).shot(3).rgb)


def test_a_lamp_behind_the_mast_does_not_shine_through(journey: Journey, shots: list[Shot]) -> None:
    hidden = int(np.flatnonzero(_visibility(shots) == 0)[2])
    target = journey.scene.sites[0]
    other = next(aspect for aspect in target.kind.aspects if aspect != target.aspect)
    sites = (replace(target, aspect=other), *journey.scene.sites[1:])
    changed = replace(journey, scene=replace(journey.scene, sites=sites))
    assert np.array_equal(Film(changed).shot(hidden).rgb, shots[hidden].rgb)
    assert not np.array_equal(Film(changed).shot(0).rgb, shots[0].rgb)


def test_a_set_is_rendered_once(tmp_path: Path) -> None:
    what = {"clips": 2, "frames": 4, "size": (320, 200), "processes": 1, "progress": False}
    clips = generate_clips(tmp_path, **what)
    assert [clip.name for clip in clips] == ["clip_0000", "clip_0001"]
    assert len(list(clips[0].video)) == 4
    assert clips[0].annotations["frame"].max() == 3
    first = clips[0].path.stat().st_mtime_ns
    assert generate_clips(tmp_path, **what)[0].path.stat().st_mtime_ns == first
    assert len(generate_clips(tmp_path, **{**what, "clips": 1})) == 1
    assert clips[0].path.stat().st_mtime_ns != first


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    journey = make_journey((5,), frames=6, size=(320, 200))
    digests = {
        hashlib.sha256(write_clip(tmp_path / f"{i}.mp4", journey).path.read_bytes()).hexdigest() for i in range(2)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("bad", [{"clips": 0}, {"frames": 1}, {"size": (100, 300)}, {"size": (480, 50)}])
def test_bad_arguments_are_refused(tmp_path: Path, bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected at least"):
        generate_clips(tmp_path, **bad)


def test_the_sample_is_as_described() -> None:
    from lab_utils.tracking import Clip

    clip = Clip(PROJECT / "sample_media" / "approach.mp4")
    assert (clip.video.width, clip.video.height, clip.video.fps, clip.video.count) == (1280, 720, 25, 150)
    assert clip.path.stat().st_size <= 2_000_000
    seen = ~np.isnan(clip.boxes(150)[:, 0])
    gaps = np.flatnonzero(np.diff(seen.astype(int)) == -1)
    assert len(gaps) == 2  # behind the mast, and out of the frame
    assert clip.annotations["track_id"].nunique() >= 3


def test_the_command_tells_a_bad_name_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clip", str(tmp_path / "a.avi")]) == 2
    assert "ends in .mp4" in capsys.readouterr().err
