"""Every committed lab keeps the form, and every rule of the form can fail."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from notebooks import form
from notebooks.make import PARAMETERS, code, markdown, notebook

from lab_utils.runner import notebook as notebooks

PROJECT = Path(__file__).resolve().parents[2]
LABS = form.labs(PROJECT / "labs")
ABOUT = {"lab": "07", "title": "Good", "minutes": {"smoke": 1, "laptop": 4, "full": 60}, "image": None}
FRONT = "# Lab 07\n\nGoals: see. Minutes: 4. Cost: $0.10. Licence of the data: CC0."


def good() -> list[dict[str, Any]]:
    return [
        markdown(FRONT),
        code(PARAMETERS, "parameters"),
        markdown("## Step 1: Look\n\n![a signal at dusk](dusk.png)"),
        code("%matplotlib inline\ndef double(x):\n    return 2 * x"),
        code("gate('AP50', double(0.4), minimum=0.5)", "gate"),
        code("print('gone')", "clean-up"),
    ]


def broken(index: int, cell: dict[str, Any]) -> list[dict[str, Any]]:
    cells = good()
    cells[index] = cell
    return cells


def problems(rule: form.Rule, cells: list[dict[str, Any]], **about: Any) -> list[str]:
    return list(rule(notebooks.Lab(Path("07_good.ipynb"), notebook(*cells, **{**ABOUT, **about}))))


@pytest.mark.parametrize("rule", form.RULES, ids=lambda rule: rule.__name__)
def test_a_good_notebook_breaks_no_rule(rule: form.Rule) -> None:
    assert problems(rule, good()) == []


LONG_FUNCTION = "async def f():\n" + "    x = 1\n" * 5
BROKEN = [
    (form.no_outputs, broken(3, code("1") | {"execution_count": 2}), "cell 3"),
    (form.no_outputs, broken(3, code("1") | {"outputs": [{"output_type": "stream"}]}), "cell 3"),
    (form.identified_cells, broken(3, code("1") | {"id": "cell-0"}), "share an id"),
    (form.identified_cells, broken(3, code("1") | {"id": None}), "cell id"),
    (form.short_cells, broken(3, code("x = 1\n" * 16)), "16 lines"),
    (form.short_functions, broken(3, code(LONG_FUNCTION)), "f() has 6 lines"),
    (form.one_parameters_cell, broken(3, code(PARAMETERS, "parameters")), "2 cells"),
    (form.one_parameters_cell, broken(1, code("seed = 0", "parameters")), "backend, dataset, profile"),
    (form.front_matter, broken(0, markdown(FRONT.replace("Cost", "Price"))), "cost"),
    (form.front_matter, broken(0, code(FRONT)), "not Markdown"),
    (form.numbered_steps, broken(2, markdown("## Step 2: Look")), "[2]"),
    (form.numbered_steps, broken(2, markdown("## Look")), "[]"),
    (form.numbered_steps, broken(2, markdown("## Step 1")), "no title"),
    (form.gate, broken(4, code("gate('AP50', 1, minimum=0)")), "no cell"),
    (form.gate, broken(4, code("assert True", "gate")), "does not call"),
    (form.clean_up_last, [*good(), code("1")], "last code cell"),
    (form.clean_up_last, good()[:-1], "last code cell"),
    (form.described_pictures, broken(2, markdown("![](dusk.png)")), "cell 2"),
    (form.described_pictures, broken(2, markdown('<img src="dusk.png" alt="">')), "cell 2"),
]


@pytest.mark.parametrize(("rule", "cells", "said"), BROKEN)
def test_a_broken_notebook_breaks_its_rule(rule: form.Rule, cells: list[dict[str, Any]], said: str) -> None:
    assert any(said in problem for problem in problems(rule, cells))


@pytest.mark.parametrize("said", [{"lab": "08"}, {"title": ""}, {"minutes": {"smoke": 1}}])
def test_wrong_metadata_breaks_a_rule(said: dict[str, Any]) -> None:
    assert len(problems(form.about, good(), **said)) == 1


def test_every_rule_is_shown_to_fail() -> None:
    assert {rule for rule, _, _ in BROKEN} | {form.about} == set(form.RULES)


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_lab_keeps_the_form(path: Path) -> None:
    lab = notebooks.read(path)
    assert [problem for rule in form.RULES for problem in rule(lab)] == []


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
@pytest.mark.parametrize("action", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_passes(path: Path, action: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", *action, path], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
