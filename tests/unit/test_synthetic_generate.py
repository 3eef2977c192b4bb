"""Data sets on disk: determinism, repeated and interrupted runs, classes and conditions."""

import hashlib
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lab_utils.errors import ConfigError
from lab_utils.formats import frsign
from lab_utils.formats.frsign_index import INDEX
from lab_utils.synthetic import CHASSIS, generate
from lab_utils.synthetic.__main__ import main
from lab_utils.synthetic.generate import plan
from lab_utils.synthetic.png import write_png

MODULE = import_module("lab_utils.synthetic.generate")  # the package gives the function this name
SMALL = {"sequences": 5, "frames": 2, "size": (160, 100), "progress": False}


def digests(root: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(root.glob("*/*.png"))}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("set")
    generate(root, processes=1, **SMALL)
    return root


def test_what_is_returned_is_what_frsign_reads(made):
    dataset = generate(made, **SMALL)
    read = frsign.read(made)
    pd.testing.assert_frame_equal(dataset.images, read.images)
    pd.testing.assert_frame_equal(dataset.boxes, read.boxes)
    assert dataset.classes == CHASSIS
    assert len(dataset) == 10
    assert dataset.open_image(int(dataset.images["image_id"][0])).size == (160, 100)


def test_pixels_do_not_depend_on_the_number_of_processes(made, tmp_path):
    generate(tmp_path, processes=2, **SMALL)
    assert digests(tmp_path) == digests(made)


def test_a_second_call_renders_nothing(made, monkeypatch):
    monkeypatch.setattr(MODULE, "_render", lambda _: pytest.fail("rendered again"))
    assert len(generate(made, processes=1, **SMALL)) == 10


def test_a_lost_picture_or_other_arguments_render_anew(tmp_path):
    generate(tmp_path, processes=1, **SMALL)
    before = digests(tmp_path)
    next(tmp_path.glob("*/*.png")).unlink()
    generate(tmp_path, processes=1, **SMALL)
    assert digests(tmp_path) == before
    other = generate(tmp_path, processes=1, **(SMALL | {"seed": 1}))
    assert len(list(tmp_path.glob("*/*.png"))) == len(other) == 10
    assert digests(tmp_path) != before


def test_an_interrupted_run_leaves_no_index(tmp_path, monkeypatch):
    real, calls = MODULE._render, []

    def breaks(job):
        calls.append(job)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(job)

    monkeypatch.setattr(MODULE, "_render", breaks)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, processes=1, **SMALL)
    assert list(tmp_path.glob("*/*.png"))
    assert not (tmp_path / INDEX).exists()


def test_a_foreign_data_set_is_left_alone(made, tmp_path):
    frsign.write(frsign.read(made), tmp_path)
    before = digests(tmp_path)
    with pytest.raises(ConfigError, match="was not generated"):
        generate(tmp_path, processes=1, **SMALL)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    "wrong", [{"sequences": 0}, {"frames": 0}, {"size": (10, 400)}, {"size": (640, 10)}, {"negatives": 1.0}]
)
def test_arguments_out_of_range_are_named(tmp_path, wrong):
    with pytest.raises(ConfigError, match=r"expected"):
        generate(tmp_path, **(SMALL | wrong))


def test_classes_and_conditions_are_dealt_evenly():
    recordings = plan(sequences=70, frames=6, size=(640, 400), seed=0, negatives=0.1)
    specs = pd.DataFrame([(r.spec.chassis, r.spec.light, r.spec.weather) for r in recordings])
    assert specs[0].value_counts().tolist() == [10] * 7
    assert specs[1].value_counts().to_dict() == {"day": 35, "night": 21, "dusk": 14}
    assert specs[2].value_counts().to_dict() == {"clear": 35, "rain": 14, "fog": 14, "snow": 7}
    empty = sum(d < 0 for r in recordings for d in r.spec.distances)
    assert 0.05 < empty / 420 < 0.15
    assert len({r.folder for r in recordings}) == 70
    assert all(len({r.frame_name(i) for i in range(6)}) == 6 for r in recordings)


def test_png_writer_is_lossless(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", pixels)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)


def test_command_renders_a_set_and_tells_mistakes_in_one_line(tmp_path, capsys):
    assert main([str(tmp_path), "--sequences", "1", "--frames", "1"]) == 0
    assert (tmp_path / INDEX).exists()
    capsys.readouterr()
    assert main([str(tmp_path), "--sequences", "0"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("synthetic", "sequences=7, frames=1, size=(160, 100)"), ("synthetic.coco_shaped", "images=200, longest=96")],
)
def test_a_script_without_a_main_guard_is_told_so(module, arguments, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"from lab_utils.{module} import generate\n"
        f"generate({str(tmp_path / 'set')!r}, {arguments}, processes=2, progress=False)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "call it below `if __name__ == '__main__':`" in done.stderr
