"""Which labs a second run repeats; nothing is executed here."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from notebooks.make import code

from lab_utils.runner import run as runner
from lab_utils.runner.results import State
from lab_utils.runner.run import Plan


class FakeExecution:
    """Stands in for a kernel: writes the notebook as if it had run."""

    runs = 0
    state = State.PASSED
    failure = None

    def __init__(self, *_: Any) -> None: ...

    def run(self, target: Path) -> None:
        type(self).runs += 1
        target.parent.mkdir(exist_ok=True)
        target.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')


@pytest.fixture
def plan(
    tmp_path: Path,
    add_lab: Callable[..., Path],
    plan_for: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
) -> Plan:
    monkeypatch.setattr("lab_utils.runner.execute.Execution", FakeExecution)
    monkeypatch.setattr(runner.report, "write", lambda *_: None)
    monkeypatch.setattr(FakeExecution, "state", State.PASSED)
    add_lab(tmp_path, "00_good", code("1"))
    (tmp_path / "lab_utils").mkdir()
    return plan_for(tmp_path)


def executions(plan: Plan) -> int:
    before = FakeExecution.runs
    runner.run(plan, io.StringIO())
    return FakeExecution.runs - before


def test_a_second_run_repeats_nothing(plan: Plan) -> None:
    assert [executions(plan), executions(plan)] == [1, 0]


def test_fresh_repeats(plan: Plan) -> None:
    assert [executions(plan), executions(replace(plan, fresh=True))] == [1, 1]


@pytest.mark.parametrize(
    "change", [{"profile": "laptop"}, {"backend": "aws"}, {"parameters": {"00_good": {"seed": 1}}}]
)
def test_other_values_repeat(change: dict[str, Any], plan: Plan) -> None:
    assert [executions(plan), executions(replace(plan, **change))] == [1, 1]


def test_changed_code_repeats(plan: Plan) -> None:
    executions(plan)
    (plan.project / "lab_utils" / "boxes.py").write_text("x = 1")
    assert executions(plan) == 1


def test_a_changed_notebook_repeats(plan: Plan, add_lab: Callable[..., Path], plan_for: Callable[..., Plan]) -> None:
    executions(plan)
    add_lab(plan.project, "00_good", code("2"))
    assert executions(plan_for(plan.project)) == 1


def test_a_lost_notebook_repeats(plan: Plan) -> None:
    executions(plan)
    plan.notebook(plan.labs[0]).unlink()
    assert executions(plan) == 1


@pytest.mark.parametrize("state", [s for s in State if s is not State.PASSED])
def test_what_did_not_pass_repeats(state: State, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeExecution, "state", state)
    assert [executions(plan), executions(plan)] == [1, 1]
