"""What a tuning job tries next: the ranges' scales, the strategies, and that Bayesian beats Random."""

import math
from collections import Counter
from collections.abc import Callable
from statistics import median

import pytest

from local_sagemaker.jobs.tuning import search
from local_sagemaker.jobs.tuning.search import Trial
from local_sagemaker.jobs.tuning.space import Number, Space, SpaceError


def number(low, high, scale="Linear", *, integer=False):
    return Number({"Name": "p", "MinValue": low, "MaxValue": high, "ScalingType": scale}, integer=integer)


def continuous(*names, low="0", high="1", scale="Linear"):
    ranges = [{"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scale} for name in names]
    return {"ContinuousParameterRanges": ranges}


@pytest.mark.parametrize(
    ("low", "high", "scale", "middle"),
    [
        ("0", "10", "Linear", 5.0),
        ("0.0001", "1", "Logarithmic", 0.01),
        ("0.0001", "1", "Auto", 0.01),
        ("1", "3", "Auto", 2.0),
        ("0.9", "0.999", "ReverseLogarithmic", 0.99),
    ],
)
def test_a_scale_puts_its_middle_in_the_middle(low, high, scale, middle):
    parameter = number(low, high, scale)
    assert float(parameter.decode([0.5])) == pytest.approx(middle)
    assert [float(parameter.decode([end])) for end in (0.0, 1.0)] == [pytest.approx(float(low)), float(high)]
    assert parameter.encode(repr(middle)) == [pytest.approx(0.5)]


def test_integers_share_a_linear_range_evenly():
    parameter = number("1", "4", integer=True)
    counts = Counter(parameter.decode([(step + 0.5) / 1000]) for step in range(1000))
    assert counts == {"1": 250, "2": 250, "3": 250, "4": 250}


def test_a_logarithmic_integer_range_prefers_the_small():
    parameter = number("1", "1000", "Logarithmic", integer=True)
    values = [int(parameter.decode([step / 999])) for step in range(1000)]
    assert (values[0], values[-1]) == (1, 1000)
    assert median(values) < 40


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("2", "1"), "must be less than MaxValue"),
        (("1", "1"), "must be less than MaxValue"),
        (("x", "1"), "MinValue of hyperparameter p must be a number"),
        (("0", "nan"), "MaxValue of hyperparameter p must be a number"),
        (("0", "1", "Logarithmic"), "greater than 0"),
        (("0", "1", "ReverseLogarithmic"), "0 <= x < 1"),
    ],
)
def test_a_range_that_cannot_be_searched_is_refused(arguments, words):
    with pytest.raises(SpaceError, match=words):
        number(*arguments)


def test_integer_ranges_take_integers_only():
    with pytest.raises(SpaceError, match="must be an integer"):
        number("0.5", "2", integer=True)
    with pytest.raises(SpaceError, match="continuous range"):
        number("0", "2", "ReverseLogarithmic", integer=True)


def test_one_name_has_one_range():
    with pytest.raises(SpaceError, match="more than one range"):
        Space(continuous("a", "a"))
    with pytest.raises(SpaceError, match="different from each other"):
        Space({"CategoricalParameterRanges": [{"Name": "a", "Values": ["x", "x"]}]})


def run(strategy, space, objective, trials, seed, parents=()):
    chosen, history = search.make(strategy, space, seed), list(parents)
    for _ in range(trials):
        values = chosen.suggest(history)
        if values is None:
            break
        history.append(Trial(values, objective(values)))
    return history[len(parents) :]


def best(history):
    return min(trial.loss for trial in history)


def bowl(values):
    return sum((float(values[name]) - at) ** 2 for name, at in zip("xyz", (0.3, 0.7, 0.55), strict=True))


def branin(values):
    x, y = float(values["x"]) * 15 - 5, float(values["y"]) * 15
    curve = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


@pytest.mark.parametrize(("objective", "names"), [(bowl, "xyz"), (branin, "xy")])
def test_bayesian_beats_random_on_smooth_functions(objective: Callable[[dict], float], names: str):
    space = Space(continuous(*names))
    scores = {
        strategy: [best(run(strategy, space, objective, 20, seed)) for seed in range(6)]
        for strategy in ("Random", "Bayesian")
    }
    assert median(scores["Bayesian"]) < median(scores["Random"]) / 5
    wins = sum(bayesian < random for bayesian, random in zip(scores["Bayesian"], scores["Random"], strict=True))
    assert wins >= 5


def test_bayesian_finds_its_way_among_integers_categories_and_divergence():
    ranges = {
        "IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "30"}],
        "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "1e-5", "MaxValue": "1"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["sgd", "adam", "lion"]}],
    }

    def objective(values):
        rate = float(values["rate"])
        if rate > 0.3:
            return 1e12
        wrong = {"sgd": 0.5, "adam": 0.0, "lion": 1.0}[values["kind"]]
        return (math.log10(rate) + 3) ** 2 + ((int(values["depth"]) - 12) / 10) ** 2 + wrong

    space = Space(ranges)
    scores = [
        [best(run(strategy, space, objective, 30, seed)) for seed in range(3)] for strategy in ("Random", "Bayesian")
    ]
    assert median(scores[1]) < median(scores[0]) / 5
    assert median(scores[1]) < 0.05


def test_jobs_that_run_at_the_same_time_try_different_things():
    space = Space(continuous("x", "y", "z"))
    chosen, history = search.make("Bayesian", space, 1), []
    for _ in range(8):
        batch = []
        for _ in range(4):
            values = chosen.suggest([*history, *batch])
            batch.append(Trial(values))
        history += [Trial(trial.values, bowl(trial.values)) for trial in batch]
        apart = [math.dist(*(map(float, t.values.values()) for t in (a, b))) for a in batch for b in batch if a != b]
        assert min(apart) > 1e-3
    assert best(history) < 0.01


def test_failed_trials_do_not_mislead():
    space = Space(continuous("x"))
    chosen, history = search.make("Bayesian", space, 0), []
    for _ in range(12):
        values = chosen.suggest(history)
        x = float(values["x"])
        history.append(Trial(values, None if x > 0.8 else (x - 0.4) ** 2))
    assert min(trial.loss for trial in history if trial.loss is not None) < 1e-4


def test_a_seed_repeats_a_search():
    space = Space(continuous("x", "y", "z"))
    for strategy in ("Random", "Bayesian"):
        first, again, other = (run(strategy, space, bowl, 8, seed) for seed in (7, 7, 8))
        assert first == again != other


def test_a_finite_space_is_tried_once_and_then_nothing_is_left():
    ranges = {
        "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "4"}],
        "CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}],
    }
    for strategy in ("Random", "Bayesian"):
        tried = run(strategy, Space(ranges), lambda values: int(values["n"]), 20, 3)
        assert len(tried) == len({tuple(trial.values.items()) for trial in tried}) == 8


def test_a_grid_is_the_product_of_its_categories():
    ranges = {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y"]}]}
    tried = run("Grid", Space(ranges), lambda values: 0.0, 10, None)
    assert [(trial.values["a"], trial.values["b"]) for trial in tried] == [
        ("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")
    ]  # fmt: skip


def parents(offset, scale, name):
    trials = run("Random", Space(continuous("x", "y", "z")), lambda values: scale * bowl(values) + offset, 15, 99)
    return [Trial(trial.values, trial.loss, name) for trial in trials]


def test_a_warm_start_begins_where_its_parent_ended():
    space = Space(continuous("x", "y", "z"))
    cold = [best(run("Bayesian", space, bowl, 4, seed)) for seed in range(5)]
    same = [best(run("Bayesian", space, bowl, 4, seed, parents(0, 1, None))) for seed in range(5)]
    other = [best(run("Bayesian", space, bowl, 4, seed, parents(1000, 50, "parent"))) for seed in range(5)]
    assert median(same) < median(cold) / 3
    assert median(other) < median(cold) / 3


def test_a_parent_that_does_not_resemble_is_outgrown():
    space = Space(continuous("x", "y", "z"))
    misleading = [Trial(trial.values, -trial.loss, "parent") for trial in parents(0, 1, "parent")]
    scores = [best(run("Bayesian", space, bowl, 25, seed, misleading)) for seed in range(3)]
    assert median(scores) < 0.02
