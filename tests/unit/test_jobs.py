"""Reading a job's log: metrics, iterations, history."""

import pandas as pd
import pytest

from lab_utils import jobs
from lab_utils.curves import compare, draw

DEFINITIONS = [
    {"Name": "training:loss", "Regex": r"^\[training\].* loss=([0-9.]+)"},
    {"Name": "validation:loss", "Regex": r"^\[validation\].* loss=([0-9.]+)"},
    {"Name": "validation:AP50", "Regex": r"^\[validation\].* AP50=([0-9.]+)"},
]


def test_a_line_gives_only_the_metrics_of_its_kind():
    parse = jobs._Metrics(DEFINITIONS)
    assert parse("[training] iter=20 loss=1.5 lr=0.1") == {"iteration": 20, "training:loss": 1.5}
    assert parse("[validation] iter=20 AP50=0.8 loss=0.9") == {
        "iteration": 20,
        "validation:AP50": 0.8,
        "validation:loss": 0.9,
    }
    assert parse("[training] iter=20 epoch=2 loss=1.5") == {"iteration": 20, "epoch": 2, "training:loss": 1.5}
    assert parse("loading the data") is None


def test_the_built_in_algorithm_counts_epochs_alone_and_from_0():
    regex = r"#quality_metric: host=\S+, epoch=\d+, validation mAP <score>=\((\S+)\)"
    parse = jobs._Metrics([{"Name": "validation:mAP", "Regex": regex}])
    line = "[11/26/2026 01:13:40 INFO 7] #quality_metric: host=algo-1, epoch=8, validation mAP <score>=(0.25)"
    assert parse(line) == {"iteration": 9, "epoch": 9, "validation:mAP": 0.25}


def test_lines_of_one_iteration_become_one_row():
    history = jobs._merge(
        pd.DataFrame({"iteration": pd.Series(dtype="int64")}), [{"iteration": 20, "training:loss": 1.5}]
    )
    history = jobs._merge(history, [{"iteration": 20, "validation:AP50": 0.8}, {"iteration": 40, "training:loss": 1.0}])
    assert history["iteration"].tolist() == [20, 40]
    assert history.loc[0, ["training:loss", "validation:AP50"]].tolist() == [1.5, 0.8]
    assert pd.isna(history.loc[1, "validation:AP50"])


@pytest.mark.parametrize(
    ("hyperparameters", "length"),
    [
        ({"num-iter": "500"}, ("iteration", 500)),
        ({"num-iter": '"500"'}, ("iteration", 500)),  # as the SDK writes it
        ({"epochs": "24", "batch-size": "16"}, ("epoch", 24)),
        ({"epochs": "many"}, ("iteration", None)),
        ({}, ("iteration", None)),
    ],
)
def test_a_job_ends_at_its_iterations_or_epochs(hyperparameters, length):
    assert jobs._length({"HyperParameters": hyperparameters}) == length


def test_a_job_without_hyperparameters_has_no_known_length():
    assert jobs._length({}) == ("iteration", None)


def test_curves_draw_losses_and_scores_apart():
    history = pd.DataFrame(
        {
            "iteration": [1, 2],
            "training:loss": [2.0, 1.0],
            "validation:loss": [2.1, None],
            "validation:AP50": [None, 0.5],
        }
    )
    left, right = draw(history, title="job").axes
    assert [line.get_label() for line in left.lines] == ["training:loss", "validation:loss"]
    assert [line.get_label() for line in right.lines] == ["AP50"]
    assert len(left.lines[1].get_xdata()) == 1


def test_a_curve_of_one_point_can_be_seen():
    axis = draw(pd.DataFrame({"iteration": [20], "training:loss": [1.5]})).axes[0]
    assert axis.lines[0].get_marker() == "o"
    assert axis.get_xlim()[0] == 0


def test_curves_of_a_job_that_logged_nothing():
    assert not draw(pd.DataFrame({"iteration": []})).axes[0].lines


def test_curves_are_over_epochs_where_there_are_no_iterations():
    history = pd.DataFrame(
        {"iteration": [1, 2], "epoch": [1.0, 2.0], "train:cross_entropy": [5.0, 4.0], "validation:mAP": [0.1, 0.2]}
    )
    left, right = draw(history).axes
    assert left.get_xlabel() == right.get_xlabel() == "epoch"
    assert [line.get_label() for axis in (left, right) for line in axis.lines] == ["train:cross_entropy", "mAP"]


def test_curves_of_several_jobs_share_the_colour_of_what_they_vary():
    rows = {
        "iteration": [1, 2],
        "training:loss": [2.0, 1.0],
        "validation:loss": [None, 1.5],
        "validation:AP50": [None, 0.4],
    }
    figure = compare({name: pd.DataFrame(rows) for name in ("a", "b", "a, plain")})
    for axis in figure.axes:
        first, other, plain = axis.lines
        assert first.get_color() == plain.get_color() != other.get_color()
        assert (first.get_linestyle(), plain.get_linestyle()) == ("-", "--")
    assert [len(axis.lines[0].get_xdata()) for axis in figure.axes] == [2, 1, 1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "a, plain"]
