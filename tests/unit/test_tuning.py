"""A tuning job's trials as a table, the best of them, and the picture."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from lab_utils import tuning

START = datetime(2026, 1, 1, tzinfo=UTC)


def summary(number: int, value: float | None, **tuned: str) -> dict[str, Any]:
    metric = {} if value is None else {"FinalHyperParameterTuningJobObjectiveMetric": {"Value": value}}
    return {
        "TrainingJobName": f"t-00{number}",
        "TrainingJobStatus": "Completed" if metric else "Failed",
        "CreationTime": START + timedelta(minutes=number),
        "TrainingStartTime": START,
        "TrainingEndTime": START + timedelta(seconds=30),
        "TunedHyperParameters": tuned,
        **metric,
    }


class Client:
    """What watch_tuning asks SageMaker."""

    def __init__(self, summaries: list[dict[str, Any]], type_: str = "Minimize", **description: Any):
        self.summaries = summaries
        ranges = {"ContinuousParameterRanges": [{"Name": "lr", "ScalingType": "Logarithmic"}]}
        self.description = {
            "HyperParameterTuningJobName": "tune",
            "HyperParameterTuningJobStatus": "Completed",
            "TrainingJobStatusCounters": {"Completed": len(summaries), "InProgress": 0},
            "HyperParameterTuningJobConfig": {
                "ResourceLimits": {"MaxNumberOfTrainingJobs": len(summaries)},
                "HyperParameterTuningJobObjective": {"Type": type_, "MetricName": "validation:loss"},
                "ParameterRanges": ranges,
            },
            **description,
        }

    def describe_hyper_parameter_tuning_job(self, **_: str) -> dict[str, Any]:
        return self.description

    def describe_training_job(self, **_: str) -> dict[str, Any]:
        return {"FailureReason": "AlgorithmError: no room"}

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"TrainingJobSummaries": self.summaries}])


def follow(client: Client) -> tuning.TuningRun:
    lab = SimpleNamespace(backend="local", client=lambda _: client)
    return tuning.watch_tuning(lab, "tune")  # type: ignore[arg-type]


def test_trials_are_in_order_of_start_with_numbers_as_numbers():
    run = follow(Client([summary(2, 0.5, lr="0.01", kind='"adamw"'), summary(1, 0.7, lr='"0.001"', kind='"sgd"')]))
    assert run.trials["job"].tolist() == ["t-001", "t-002"]
    assert run.trials["lr"].tolist() == [0.001, 0.01]
    assert run.trials["kind"].tolist() == ["sgd", "adamw"]
    assert run.trials["seconds"].tolist() == [30, 30]
    assert run.tuned == ["kind", "lr"]


@pytest.mark.parametrize(("type_", "job"), [("Minimize", "t-002"), ("Maximize", "t-001")])
def test_the_best_depends_on_what_is_asked_for(type_: str, job: str):
    client = Client([summary(1, 0.7, lr="0.001"), summary(2, 0.5, lr="0.01"), summary(3, None, lr="0.1")], type_)
    assert follow(client).best["job"] == job


def test_the_figure_has_one_axis_a_hyperparameter_with_its_scale():
    figure = follow(Client([summary(1, 0.7, lr="0.001", crop="0.4"), summary(2, 0.5, lr="0.01", crop="0.8")])).figure()
    assert {axis.get_xlabel(): axis.get_xscale() for axis in figure.axes} == {"crop": "linear", "lr": "log"}
    assert figure.axes[0].get_ylabel() == "validation:loss (lower is better)"


def test_a_tuning_job_without_any_result_says_why():
    with pytest.raises(tuning.TuningFailedError, match="tune failed: AlgorithmError: no room"):
        follow(Client([summary(1, None, lr="0.1")]))


def test_names_fit_into_32_characters_and_keep_their_start():
    for prefix in ("signal-labs", "a-prefix-of-a-long-name-in-our"):
        lab: Any = SimpleNamespace(named=lambda name, prefix=prefix: f"{prefix}-{name}")
        name = tuning.job_name(lab, "detectron2")
        assert len(name) <= 32
        assert name.startswith(tuning.name_start(lab, "detectron2"))
