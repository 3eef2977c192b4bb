"""Finding and reading the labs."""

from pathlib import Path

import pytest
from notebooks.make import code, markdown, notebook, write

from lab_utils.errors import ConfigError
from lab_utils.runner import notebook as notebooks
from lab_utils.runner.notebook import Lab, Step


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("01_detectron2_detection", "00_dataset_preparation", "scratch"):
        write(tmp_path, name, code("1"))
    return tmp_path


def lab(*cells: dict) -> Lab:
    return Lab(Path("01_detectron2_detection.ipynb"), notebook(*cells))


def test_labs_are_found_by_number(folder: Path) -> None:
    assert [lab.number for lab in notebooks.discover(folder)] == ["00", "01"]


def test_a_folder_without_labs_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: no labs"):
        notebooks.discover(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cells": 1}', "\xff"])
def test_a_broken_file_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "00_broken.ipynb"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"00_broken\.ipynb: not a Jupyter notebook"):
        notebooks.discover(tmp_path)


@pytest.mark.parametrize("name", ["01", "01_detectron2_detection", "labs/01_detectron2_detection.ipynb"])
def test_a_lab_is_called_by_number_name_or_file(name: str, folder: Path) -> None:
    assert [lab.number for lab in notebooks.select(notebooks.discover(folder), [name, name])] == ["01"]


def test_parts_are_called_alone_or_together(folder: Path) -> None:
    for name in ("05b_signs", "05a_own_data"):
        write(folder, name, code("1"))
    labs = notebooks.discover(folder)
    assert [lab.number for lab in labs] == ["00", "01", "05a", "05b"]
    assert [lab.number for lab in notebooks.select(labs, ["05b"])] == ["05b"]
    assert [lab.label for lab in notebooks.select(labs, ["05"])] == ["05a own", "05b signs"]


def test_no_name_means_all(folder: Path) -> None:
    assert len(notebooks.select(notebooks.discover(folder), [])) == 2


def test_an_unknown_lab_lists_the_known(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown lab 07: expected 00 \(00_dataset_preparation\), 01"):
        notebooks.select(notebooks.discover(folder), ["00", "07"])


@pytest.mark.parametrize(
    ("heading", "step"),
    [
        ("## Step 4: Train the detector", Step(4, "Train the detector")),
        ("## Step 12 – Clean up", Step(12, "Clean up")),
        ("Text.\n\n## Step 2 Look \nmore", Step(2, "Look")),
        ("### Step 2: Look", None),
        ("## Background", None),
    ],
)
def test_steps_are_second_level_headings(heading: str, step: Step | None) -> None:
    assert lab(markdown(heading)).steps == ({0: step} if step else {})


def test_code_starts_no_step() -> None:
    assert lab(code("## Step 1: no")).steps == {}


def test_label_and_title_without_metadata() -> None:
    assert (lab().label, lab().title) == ("01 detectron2", "detectron2 detection")


def test_digest_follows_source_and_tags_only() -> None:
    plain = lab(code("x = 1")).digest
    assert lab(code("x = 1") | {"outputs": [{}], "id": "other"}).digest == plain
    assert lab(code("x = 1") | {"source": ["x ", "= 1"]}).digest == plain
    assert lab(code("x = 2")).digest != plain
    assert lab(code("x = 1", "gate")).digest != plain
