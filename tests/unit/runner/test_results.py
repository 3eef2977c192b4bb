"""Results on disk and the key that decides whether a lab runs again."""

from pathlib import Path

import pytest

from lab_utils.runner import results
from lab_utils.runner.results import Failure, Result, State

GATE = {"name": "AP50", "value": 0.9, "minimum": 0.8, "maximum": None, "unit": "", "passed": True}


def test_results_survive_the_disk(tmp_path: Path) -> None:
    good = Result("00_a", State.PASSED, "k", "smoke", "local", {"seed": 1}, 2.5, "2026-01-01", [GATE])
    bad = Result("01_b", State.DIED, "k", "smoke", "aws", failure=Failure(3, "id", "step 1 Go", "it died"))
    results.save(tmp_path / "r.json", [good, bad])
    assert results.load(tmp_path / "r.json") == {"00_a": good, "01_b": bad}


def test_being_cached_is_not_kept(tmp_path: Path) -> None:
    results.save(tmp_path / "r.json", [Result("00_a", State.PASSED, "k", "smoke", "local", cached=True)])
    assert results.load(tmp_path / "r.json")["00_a"].cached is False


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"lab": "00"}]', '[{"lab": "00", "state": "WHAT"}]'])
def test_a_file_that_is_not_ours_counts_as_nothing_done(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    assert results.load(tmp_path / "r.json") == {}
    assert results.load(tmp_path / "missing.json") == {}


def test_fingerprint_follows_the_code(tmp_path: Path) -> None:
    (tmp_path / "containers" / "__pycache__").mkdir(parents=True)
    program = tmp_path / "containers" / "train.py"
    program.write_text("1")
    first = results.fingerprint(tmp_path)
    (tmp_path / "containers" / "__pycache__" / "train.pyc").write_text("x")
    (tmp_path / "README.md").write_text("x")
    assert results.fingerprint(tmp_path) == first
    program.write_text("2")
    changed = results.fingerprint(tmp_path)
    program.rename(tmp_path / "containers" / "serve.py")
    assert len({first, changed, results.fingerprint(tmp_path)}) == 3


def test_run_key_follows_every_input() -> None:
    inputs = [("n", "c", {"seed": 1}), ("m", "c", {"seed": 1}), ("n", "d", {"seed": 1}), ("n", "c", {"seed": 2})]
    assert len({results.run_key(*each) for each in inputs}) == 4
    assert results.run_key("n", "c", {"a": 1, "b": 2}) == results.run_key("n", "c", {"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (Failure(7, "x", "step 4 Train", "it broke"), "cell [7], step 4 Train: it broke"),
        (Failure(None, "", "", "it broke"), "it broke"),
    ],
)
def test_a_failure_is_one_line(failure: Failure, line: str) -> None:
    assert str(failure) == line
