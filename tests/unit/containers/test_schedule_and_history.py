"""Learning rates, evaluation times, the best evaluation, and metric lines against their regexes."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from detection import metric_lines
from detection.history import History
from detection.schedule import evaluation_period, is_due, lr_factor
from detector import metric_names
from detector.metric_names import PHASES

METRICS = Path(metric_names.__file__).parents[1] / "metrics.json"


@pytest.mark.parametrize("total", [1, 7, 300, 9000])
@pytest.mark.parametrize("decay", ["cosine", "steps"])
def test_the_rate_rises_to_1_then_falls_within_the_iterations(total: int, decay: str) -> None:
    factors = np.array([lr_factor(i, total, decay=decay) for i in range(total)])
    peak = factors.argmax()
    assert factors.max() == pytest.approx(1)
    assert peak <= max(1, 0.1 * total)
    assert (np.diff(factors[: peak + 1]) > 0).all()
    assert (np.diff(factors[peak:]) <= 0).all()
    assert total == 1 or factors[-1] <= 0.1


def test_steps_divide_by_ten_at_70_and_90_percent() -> None:
    assert [round(lr_factor(i, 100, decay="steps"), 3) for i in (69, 70, 90)] == [1, 0.1, 0.01]


def test_without_warm_up_it_starts_at_1() -> None:
    assert lr_factor(0, 100, warm_up=0) == 1


@pytest.mark.parametrize(("total", "expected"), [(300, 5), (301, 5), (4, 4), (1, 1), (9000, 5)])
def test_there_are_about_five_evaluations_and_one_at_the_end(total: int, expected: int) -> None:
    due = [i for i in range(total) if is_due(i, total, evaluation_period(total))]
    assert len(due) == expected
    assert due[-1] == total - 1


def test_a_period_that_is_asked_for_is_kept() -> None:
    assert evaluation_period(300, 7) == 7


def history(*scores: tuple[float, float]) -> History:
    kept = History()
    for number, (ap50, ap) in enumerate(scores, start=1):
        kept.add(number, {"AP50": ap50, "AP": ap})
    return kept


def test_the_best_is_by_ap50_then_ap_then_later() -> None:
    kept = History()
    added = [
        kept.add(i, {"AP50": a, "AP": b}) for i, (a, b) in enumerate([(0.5, 0.2), (0.5, 0.3), (0.4, 0.9), (0.5, 0.3)])
    ]
    assert added == [True, True, False, True]
    assert kept.best["iteration"] == 3


def test_another_task_ranks_by_its_own_numbers() -> None:
    kept = History(ranking=("auc", "mean_iou"))
    for i, (auc, iou) in enumerate([(0.5, 0.6), (0.4, 0.9), (0.5, 0.5)]):
        kept.add(i, {"auc": auc, "mean_iou": iou})
    assert kept.best["iteration"] == 0


def test_nan_is_never_the_best() -> None:
    assert history((0.1, 0.1), (float("nan"), float("nan"))).best["iteration"] == 1


def test_it_stalls_after_so_many_without_a_better_one() -> None:
    assert not history((0.5, 0.1), (0.4, 0.1)).stalled(2)
    assert history((0.5, 0.1), (0.4, 0.1), (0.3, 0.1)).stalled(2)
    assert not history((0.5, 0.1), (0.4, 0.1)).stalled(0)
    assert not History().stalled(1)


def test_the_table_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "data/history.csv"
    history((0.5, 0.25)).write_csv(path)
    with path.open() as stream:
        assert list(csv.DictReader(stream)) == [{"iteration": "1", "AP50": "0.5", "AP": "0.25"}]
    assert [file.name for file in path.parent.iterdir()] == ["history.csv"]


def example(phase: str) -> str:
    values = {name: i + 0.5 for i, name in enumerate(PHASES[phase])}
    return metric_lines.line(phase, 40, values)


@pytest.mark.parametrize("definition", metric_lines.definitions(PHASES), ids=lambda definition: definition["Name"])
def test_a_metrics_regex_matches_its_own_number_once_and_no_other_line(definition: dict[str, str]) -> None:
    phase, name = definition["Name"].split(":")
    log = "\n".join(example(other) for other in PHASES)
    expected = PHASES[phase].index(name) + 0.5
    assert [float(found) for found in re.findall(definition["Regex"], log)] == [expected]


@pytest.mark.parametrize("value", [0.0, 1e-7, 12345.678, -0.25, 1.0])
def test_every_number_is_read_back(value: float) -> None:
    line = metric_lines.line("training", 1, {"loss": value})
    regex = metric_lines.definitions(PHASES)[0]["Regex"]
    assert float(re.search(regex, line)[1]) == pytest.approx(value, rel=1e-5)


def test_the_published_definitions_are_these() -> None:
    assert json.loads(METRICS.read_text()) == metric_lines.definitions(PHASES)
