"""Frames: boxes that fit the plates, determinism, conditions, size."""

import numpy as np
import pytest

from lab_utils.synthetic import CHASSIS, SequenceSpec, make_spec, render_frame, render_sequence
from lab_utils.synthetic.atmosphere import LIGHTS, WEATHERS, make_atmosphere
from lab_utils.synthetic.chassis import BY_NAME
from lab_utils.synthetic.scene import Scene
from lab_utils.synthetic.signals import draw_head, lit_lamps

SIZE = (320, 200)


def spec(chassis: str = CHASSIS[0], seed: int = 0, **changes: object) -> SequenceSpec:
    settings: dict = {"light": "day", "weather": "clear", "frames": 3, "size": SIZE} | changes
    return make_spec((seed,), chassis, **settings)


def test_the_classes_are_frsigns_seven_in_order():
    letters = [name.split("(")[0] for name in CHASSIS]
    assert letters == [
        "Chassis A ",
        "Chassis C ",
        "Chassis F ",
        "Chassis H ",
        "Chassis ID2 ",
        "Chassis ID3 ",
        "Chassis R ",
    ]
    assert [len(BY_NAME[name].lamps) for name in CHASSIS] == [3, 5, 7, 9, 2, 3, 6]


@pytest.mark.parametrize("name", CHASSIS)
def test_a_head_fills_its_size_and_lights_its_aspect(name):
    chassis = BY_NAME[name]
    air = make_atmosphere("day", "clear", np.random.default_rng(0))
    size = round(60 * chassis.aspect_ratio), 60
    for aspect in chassis.aspects:
        pixels = np.asarray(draw_head(chassis, aspect, size, air, 30.0)).astype(int)
        assert pixels.shape == (60, size[0], 4)
        opaque = pixels[..., 3] > 127
        assert opaque.any(axis=1).all()
        assert opaque.any(axis=0).all()
        for x, y, _ in lit_lamps(chassis, aspect):
            assert pixels[int(y * 60), int(x * size[0]), :3].max() > 150
        dark = set(range(len(chassis.lamps))) - set(chassis.aspects[aspect])
        for index in dark:
            x, y = chassis.lamps[index]
            assert pixels[int(y / chassis.size[1] * 60), int(x / chassis.size[0] * size[0]), :3].max() < 90


def test_outlines_differ_even_when_small():
    air = make_atmosphere("day", "clear", np.random.default_rng(0))
    masks = {}
    for name, chassis in BY_NAME.items():
        head = draw_head(chassis, next(iter(chassis.aspects)), (24, 24), air, 60.0)
        masks[name] = np.asarray(head)[..., 3] > 127
    ratios = [BY_NAME[name].aspect_ratio for name in CHASSIS]
    for i, a in enumerate(CHASSIS):
        for j, b in enumerate(CHASSIS[:i]):
            differ = np.mean(masks[a] != masks[b]) > 0.1
            assert differ or max(ratios[i], ratios[j]) / min(ratios[i], ratios[j]) > 1.25


def test_boxes_hold_exactly_what_the_plate_changes(monkeypatch):
    scene = Scene(spec(CHASSIS[3], seed=4))
    monkeypatch.setattr("lab_utils.synthetic.sites.Site.lamps", lambda _: [])
    monkeypatch.setattr(scene.lens, "blur", 0.0)
    shown = [scene.frame(i) for i in range(3)]
    monkeypatch.setattr("lab_utils.synthetic.painter.Painter.paste", lambda *_: None)
    for index, frame in enumerate(shown):
        changed = np.any(scene.frame(index).rgb != frame.rgb, axis=-1)
        inside = np.zeros_like(changed)
        for x, y, w, h in frame.boxes:
            inside[y : y + h, x : x + w] = True
            assert changed[y : y + h, x].any()
            assert changed[y : y + h, x + w - 1].any()
            assert changed[y, x : x + w].any()
            assert changed[y + h - 1, x : x + w].any()
        assert not (changed & ~inside).any()


@pytest.mark.parametrize("seed", range(8))
def test_the_signal_grows_and_stays_in_the_picture(seed):
    sequence = spec(CHASSIS[seed % 7], seed=seed, frames=6, negatives=1, size=(640, 400))
    assert list(sequence.distances[:5]) == sorted(sequence.distances[:5], reverse=True)
    assert sequence.distances[5] < 0
    scene = Scene(sequence)
    first, last, past = scene.frame(0).boxes, scene.frame(4).boxes, scene.frame(5).boxes
    width, height = first[0, 2:]
    assert height >= (10 if "ID" in sequence.chassis else 14)
    assert width >= 7
    assert height <= 40
    assert last[0, 3] > 2.5 * first[0, 3]
    assert len(past) == 0
    for boxes in (first, last):
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 0] + boxes[:, 2] <= 640).all()
        assert (boxes[:, 1] + boxes[:, 3] <= 400).all()


def test_the_same_spec_gives_the_same_pixels_and_another_seed_others():
    a, b = render_frame(spec(seed=1), 1), list(render_sequence(spec(seed=1)))[1]
    assert np.array_equal(a.rgb, b.rgb)
    assert np.array_equal(a.boxes, b.boxes)
    assert not np.array_equal(a.rgb, render_frame(spec(seed=2), 1).rgb)


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("weather", WEATHERS)
def test_every_light_and_weather_renders(light, weather):
    frame = render_frame(spec(seed=3, light=light, weather=weather), 2)
    assert frame.rgb.shape == (200, 320, 3)
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.std() > 4
    assert len(frame.boxes) >= 1


def test_night_is_darker():
    clear = render_frame(spec(seed=5)).rgb.astype(float)
    assert render_frame(spec(seed=5, light="night")).rgb.mean() < 0.5 * clear.mean()


def test_fog_takes_contrast_with_distance_but_leaves_a_far_signal_visible():
    air = make_atmosphere("day", "fog", np.random.default_rng(0))
    contrast = [air.shade((255,) * 3, z)[0] - air.shade((0,) * 3, z)[0] for z in (1, 45, 90)]
    assert contrast[0] > contrast[1] > contrast[2] > contrast[0] / 3


def test_a_long_wide_clip_can_be_rendered_lazily():
    clip = render_sequence(spec(frames=150, size=(1280, 720)))
    frame = next(clip)
    assert frame.rgb.shape == (720, 1280, 3)
    assert next(clip).boxes.shape[1] == 4
