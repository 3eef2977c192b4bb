"""Parameters get the types of the notebook's own defaults."""

from pathlib import Path
from typing import Any

import pytest
from notebooks.make import code, notebook

from lab_utils.errors import ConfigError
from lab_utils.runner import parameters
from lab_utils.runner.notebook import Lab

CELL = """import os

backend = "local"
profile = os.environ.get("LABS_PROFILE", "laptop")
dataset: str = "synthetic"
seed = 0  # of everything
rate = 0.5
flip = True
classes = ["stop"]
limit = None
x, y = 1, 2"""


def lab(source: str = CELL, name: str = "00_data") -> Lab:
    return Lab(Path(f"{name}.ipynb"), notebook(code("z = 1"), code(source, "parameters")))


def convert(text: str, here: Path = Path("/")) -> Any:
    given = parameters.parse([text])
    return next(iter(parameters.typed([lab()], given, here)["00_data"].values()))


def test_defaults_are_read_without_running_the_cell() -> None:
    found = parameters.defaults(lab())
    assert found["seed"] == 0
    assert found["profile"] == ""
    assert found["classes"] == ["stop"]
    assert set(found) == {"backend", "profile", "dataset", "seed", "rate", "flip", "classes", "limit"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed=7", 7),
        ("rate=1e-3", 0.001),
        ("rate=2", 2.0),
        ("flip=no", False),
        ("flip=True", True),
        ("classes=['a', 'b']", ["a", "b"]),
        ("limit=3", 3),
        ("limit=some words", "some words"),
        ("dataset=synthetic", "synthetic"),
        ("dataset=coco:s3://bucket/key=1", "coco:s3://bucket/key=1"),
    ],
)
def test_values_are_typed(text: str, value: Any) -> None:
    converted = convert(text)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize("text", ["seed=1.5", "seed=", "rate=fast", "flip=2", "classes=3", "classes=["])
def test_a_value_of_the_wrong_type_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^-p .*: expected (int|float|bool|list), such as "):
        convert(text)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="unknown parameter 'sead': expected one of classes, dataset, flip"):
        convert("sead=1")


@pytest.mark.parametrize("text", ["seed", "=1", "a b=1"])
def test_an_assignment_needs_a_name_and_a_value(text: str) -> None:
    with pytest.raises(ConfigError, match="expected NAME=VALUE"):
        parameters.parse([text])


@pytest.mark.parametrize("name", ["profile", "backend"])
def test_options_are_not_parameters(name: str) -> None:
    with pytest.raises(ConfigError, match=f"use --{name} x"):
        parameters.parse([f"{name}=x"])


def test_a_relative_data_path_is_the_commands_not_the_notebooks(tmp_path: Path) -> None:
    (tmp_path / "bccd").mkdir()
    assert convert("dataset=voc:bccd", tmp_path) == f"voc:{tmp_path / 'bccd'}"
    assert convert(f"dataset=voc:{tmp_path}/bccd") == f"voc:{tmp_path / 'bccd'}"


@pytest.mark.parametrize("spec", ["voc:nowhere", "coco:"])
def test_a_missing_data_path_is_refused(spec: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"dataset={spec}: no such file or folder"):
        convert(f"dataset={spec}", tmp_path)


def test_a_lab_gets_only_what_it_knows() -> None:
    labs = [lab(), lab("iterations = 100", "01_train")]
    given = parameters.parse(["iterations=5", "seed=2"])
    assert parameters.typed(labs, given, Path()) == {"00_data": {"seed": 2}, "01_train": {"iterations": 5}}
