"""Which jobs of a tuning job end early."""

import pytest

from local_sagemaker.jobs.tuning import stopping
from local_sagemaker.jobs.tuning.stopping import Hyperband, MedianRule, hyperband_resources


def test_the_median_rule_compares_with_running_averages_of_the_same_epoch():
    ended = [[10, 8, 6], [10, 6, 2], [10, 4, 1], [7]]  # averages after two epochs: 9, 8, 7
    rule = MedianRule()
    assert not rule.hopeless("a", [20, 8.0], ended)
    assert rule.hopeless("a", [2, 8.1], ended)
    assert not rule.hopeless("a", [2, 8, 5.6], ended)  # averages after three: 8, 6, 5
    assert rule.hopeless("a", [2, 8, 6.1], ended)


def test_the_median_rule_waits_for_three_jobs_that_came_so_far():
    assert not MedianRule().hopeless("a", [99], [[1], [1]])
    assert MedianRule().hopeless("a", [99], [[1], [1], [1]])
    assert not MedianRule().hopeless("a", [1, 99], [[1, 1], [1, 1], [1]])


def train(rule, curves, epochs):
    """Each curve in turn as a job; after how many epochs it ended."""
    lengths = []
    for number, curve in enumerate(curves):
        rule.started(str(number))
        length = epochs
        for epoch in range(1, epochs + 1):
            if rule.hopeless(str(number), [curve(step) for step in range(1, epoch + 1)], []):
                length = epoch
                break
        lengths.append(length)
    return lengths


def test_hyperband_spends_its_epochs_on_the_good():
    good = [number % 9 == 4 for number in range(90)]
    levels = [0.0 if is_good else 1 + number * 37 % 90 / 90 for number, is_good in enumerate(good)]
    curves = [lambda step, level=level: level + 1 / step for level in levels]
    lengths = train(Hyperband(1, 27), curves, 27)
    assert sum(lengths) < 90 * 27 / 2
    assert all(length == 27 for length, is_good in zip(lengths, good, strict=True) if is_good)
    assert sum(length == 1 for length in lengths) > 20


def test_hyperband_gives_a_slow_starter_a_chance():
    def slow(step):
        return 5 if step < 9 else 0

    def fast(step):
        return 1

    lengths = train(Hyperband(1, 27), [slow if number % 2 else fast for number in range(60)], 27)
    assert 27 in lengths[1::2]


def test_hyperband_stops_nothing_before_the_least_and_all_beyond_the_most():
    lengths = train(Hyperband(5, 20), [lambda step, n=number: float(n) for number in range(30)], 40)
    assert min(lengths) == 5
    assert max(lengths) == 21
    assert set(lengths) <= {5, 15, 21}


@pytest.mark.parametrize("name", ["epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"])
def test_the_largest_resource_comes_from_the_static_hyperparameters(name):
    assert hyperband_resources({}, {name: "30"}) == (1, 30)
    assert hyperband_resources({"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 9}}, {name: "3"}) == (2, 9)


@pytest.mark.parametrize(
    ("config", "static"),
    [
        ({}, {}),
        ({}, {"epochs": "many"}),
        ({"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 9}}, {}),
        ({"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 20_001}}, {}),
    ],
)
def test_resources_that_make_no_sense_are_refused(config, static):
    with pytest.raises(ValueError, match="MaxResource"):
        hyperband_resources(config, static)


def test_the_request_chooses_the_rule():
    assert isinstance(stopping.make({"Strategy": "Hyperband"}, {"epochs": "9"}), Hyperband)
    assert isinstance(stopping.make({"Strategy": "Random", "TrainingJobEarlyStoppingType": "Auto"}, {}), MedianRule)
    assert not stopping.make({"Strategy": "Random"}, {}).hopeless("a", [9.0], [[1.0]] * 9)
