"""How soon an object is followed again."""

import numpy as np
import pytest

from lab_utils.tracking.ope import Run
from lab_utils.tracking.recovery import recoveries, recovery_table


def run(visibility: list[float], right: list[int]) -> Run:
    """A clip with this visibility, in which the tracker is right in the frames `right`."""
    shown = np.array(visibility)
    truth = np.where(shown[:, None] > 0, np.array([10.0, 10, 20, 20]), np.nan)
    boxes = np.full((len(shown), 4), np.nan)
    boxes[right] = (10, 10, 20, 20)
    return Run("a", truth, boxes, shown, np.ones(len(shown)), 1.0)


def test_it_counts_from_the_frame_in_which_half_is_seen() -> None:
    visibility = [1, 1, 0.4, 0, 0, 0.3, 0.6, 1, 1, 1]
    assert recoveries(run(visibility, right=[0, 1, 6])) == [0]
    assert recoveries(run(visibility, right=[0, 1, 8])) == [2]
    assert recoveries(run(visibility, right=[0, 1])) == [np.inf]
    assert recoveries(run(visibility, right=[5])) == [np.inf]  # too early does not count


def test_what_was_only_partly_hidden_was_not_away() -> None:
    assert recoveries(run([1, 0.3, 0.2, 0.6, 1], right=[0])) == []


def test_a_return_ends_with_the_next_loss() -> None:
    visibility = [1, 0, 1, 1, 0, 1, 1]
    assert recoveries(run(visibility, right=[0, 3, 6])) == [1, 1]
    assert recoveries(run(visibility, right=[0, 6])) == [np.inf, 1]


def test_the_table_counts_all_clips() -> None:
    long = [1.0, 0.0] + [1.0] * 30
    table = recovery_table({"a": [run(long, right=[5]), run(long, right=[25])], "b": [run([1, 1], right=[0])]})
    assert table.loc["a"].tolist() == pytest.approx([2, 0.5, 13])
    assert table.loc["b", "returns"] == 0
