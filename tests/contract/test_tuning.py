"""Hyperparameter tuning jobs: strategies, children, counters, early stopping, warm start."""

import re

import pytest

from contract import tuning
from contract.cloud import Cloud, until
from contract.tuning import limits, ranges


@pytest.fixture(scope="module")
def bayesian(cloud: Cloud) -> tuple[dict, list]:
    """A finished Bayesian tuning job, whose results other tests look at and start from."""
    made = tuning.request(
        cloud,
        static={"kind": "good", "n": "5"},
        Strategy="Bayesian",
        ResourceLimits=limits(8),
        ParameterRanges=ranges(x=(0.0, 1.0)),
    )
    return tuning.run(cloud, {**made, "Tags": [{"Key": "team", "Value": "signals"}]})


def test_a_tuning_job_counts_its_jobs_and_names_the_best(bayesian):
    job, children = bayesian
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 8, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0
    }  # fmt: skip
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 8, "Pending": 0, "Failed": 0}
    best = min(children, key=lambda child: tuning.values([child])[0])
    assert job["BestTrainingJob"] == best
    assert tuning.values([best])[0] == pytest.approx(0.04, abs=0.005)
    assert job["HyperParameterTuningEndTime"] >= job["CreationTime"]
    assert job["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] < 8
    assert job["ConsumedResources"]["RuntimeInSeconds"] >= 0
    assert "OverallBestTrainingJob" not in job


def test_training_jobs_are_those_of_the_tuning_job(cloud: Cloud, bayesian):
    job, children = bayesian
    name = job["HyperParameterTuningJobName"]
    for number, summary in enumerate(children, 1):
        assert re.fullmatch(rf"{name}-{number:03d}-[0-9a-f]{{8}}", summary["TrainingJobName"])
        assert summary["TuningJobName"] == name
        assert summary["ObjectiveStatus"] == "Succeeded"
        assert summary["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "loss"
        assert list(summary["TunedHyperParameters"]) == ["x"]
    child = cloud.describe(children[0]["TrainingJobName"])
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    tuned = children[0]["TunedHyperParameters"]
    assert child["HyperParameters"] == {"kind": "good", "n": "5", **tuned, "_tuning_objective_metric": "loss"}
    tags = cloud.sagemaker.list_tags(ResourceArn=child["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "signals"}]
    assert b"0." in cloud.unpacked(child["ModelArtifacts"]["S3ModelArtifacts"])["hyperparameters.json"]


def test_lists(cloud: Cloud, bayesian):
    name = bayesian[0]["HyperParameterTuningJobName"]
    by_value = tuning.children(cloud, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert tuning.values(by_value) == sorted(tuning.values(by_value), reverse=True)
    assert len(tuning.children(cloud, name, StatusEquals="Completed")) == 8
    assert tuning.children(cloud, name, StatusEquals="Failed") == []
    pages = cloud.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = [
        child["TrainingJobName"]
        for page in pages.paginate(HyperParameterTuningJobName=name, PaginationConfig={"PageSize": 3})
        for child in page["TrainingJobSummaries"]
    ]
    assert found == sorted(found)
    assert len(found) == 8
    (summary,) = cloud.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name, StatusEquals="Completed")[
        "HyperParameterTuningJobSummaries"
    ]
    assert summary["Strategy"] == "Bayesian"
    assert summary["TrainingJobStatusCounters"]["Completed"] == 8
    assert summary["ObjectiveStatusCounters"]["Succeeded"] == 8
    assert summary["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 8


def test_random_draws_from_every_kind_of_range_and_a_seed_repeats_it(cloud: Cloud):
    drawn = []
    for _ in range(2):
        made = tuning.request(cloud, ParameterRanges=ranges(x=(0.1, 0.9), n=(1, 5), kind=["good", "bad"]), RandomSeed=4)
        drawn.append([child["TunedHyperParameters"] for child in tuning.run(cloud, made)[1]])
    assert drawn[0] == drawn[1]
    for values in drawn[0]:
        assert 0.1 <= float(values["x"]) <= 0.9
        assert values["n"] in {"1", "2", "3", "4", "5"}
        assert values["kind"] in {"good", "bad"}


def test_grid_tries_every_combination_and_maximizes(cloud: Cloud):
    made = tuning.request(
        cloud,
        Strategy="Grid",
        HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "loss"},
        ResourceLimits=limits(None, 3),
        ParameterRanges=ranges(n=["1", "3", "6"], kind=["good", "bad"]),
    )
    job, children = tuning.run(cloud, made)
    tried = [(child["TunedHyperParameters"]["n"], child["TunedHyperParameters"]["kind"]) for child in children]
    assert tried == [(n, kind) for n in "136" for kind in ("good", "bad")]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"n": "6", "kind": "bad"}


def test_hyperband_stops_the_worse_jobs_by_what_they_log(cloud: Cloud):
    made = tuning.request(
        cloud,
        static={"pause": 0.15, "epochs": 300},
        Strategy="Hyperband",
        StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}},
        ResourceLimits=limits(9, 3),
    )
    job, children = tuning.run(cloud, made)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert {child["TrainingJobStatus"] for child in children} == {"Stopped"}  # also the best, beyond MaxResource
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 9
    lengths = {
        child["TrainingJobName"]: sum("loss=" in line for line in cloud.log(child["TrainingJobName"]))
        for child in children
    }
    assert min(lengths.values()) < 9
    assert lengths[job["BestTrainingJob"]["TrainingJobName"]] >= 9


def test_early_stopping_ends_jobs_that_are_worse_than_the_median(cloud: Cloud):
    made = tuning.request(
        cloud,
        static={"epochs": 30, "pause": 0.1},
        Strategy="Grid",
        TrainingJobEarlyStoppingType="Auto",
        ResourceLimits=limits(None, 3),
        ParameterRanges=ranges(n=["3", "4", "5", "30"]),
    )
    job, children = tuning.run(cloud, made)
    statuses = {child["TunedHyperParameters"]["n"]: child["TrainingJobStatus"] for child in children}
    assert statuses == {"3": "Completed", "4": "Completed", "5": "Completed", "30": "Stopped"}
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1


def test_failed_jobs_do_not_count_as_results(cloud: Cloud):
    made = tuning.request(cloud, static={"fails_above": 0.5}, Strategy="Grid", ResourceLimits=limits(None))
    made["HyperParameterTuningJobConfig"]["ParameterRanges"] = ranges(x=["0.2", "0.4", "0.7", "0.9"])
    job, children = tuning.run(cloud, made)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 2}
    failed = [child for child in children if child["TrainingJobStatus"] == "Failed"]
    assert all(child["FailureReason"].startswith("AlgorithmError") for child in failed)
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "0.2"}


def test_a_tuning_job_gives_up_when_five_jobs_failed(cloud: Cloud):
    job, children = tuning.run(cloud, tuning.request(cloud, static={"fails_above": -1}, ResourceLimits=limits(20, 5)))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    attempts = re.match(r"No training job succeeded after (\d+) attempts\.", job["FailureReason"])
    assert attempts
    assert 5 <= int(attempts[1]) <= len(children) < 20  # five run at a time: more than five may have ended, or begun
    assert "BestTrainingJob" not in job


def test_an_objective_that_no_job_logs_fails_the_tuning_job(cloud: Cloud):
    job, children = tuning.run(cloud, tuning.request(cloud, static={"silent": 1}, ResourceLimits=limits(2)))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No objective metrics found after running 2 training jobs.")
    assert [child["ObjectiveStatus"] for child in children] == ["Failed", "Failed"]
    assert [child["TrainingJobStatus"] for child in children] == ["Completed", "Completed"]


def test_stop_stops_the_training_jobs(cloud: Cloud):
    name = tuning.start(cloud, tuning.request(cloud, static={"epochs": 1000, "pause": 0.1}))
    until(lambda: tuning.describe(cloud, name)["TrainingJobStatusCounters"]["InProgress"] == 2)
    until(lambda: all("TrainingStartTime" in child for child in tuning.children(cloud, name)))
    cloud.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert tuning.describe(cloud, name)["HyperParameterTuningJobStatus"] in ("Stopping", "Stopped")
    job = tuning.wait(cloud, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2


@pytest.mark.parametrize(
    "criteria",
    [
        {"TargetObjectiveMetricValue": 0.99},
        {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}},
    ],
)
def test_completion_criteria_end_a_tuning_job(cloud: Cloud, criteria):
    made = tuning.request(cloud, Strategy="Grid", TuningJobCompletionCriteria=criteria, ResourceLimits=limits(None, 1))
    made["HyperParameterTuningJobConfig"]["ParameterRanges"] = ranges(x=["0.3", *(str(n / 20) for n in range(8, 20))])
    job, children = tuning.run(cloud, made)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert len(children) <= 5


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
def test_a_warm_start_uses_its_parents_results(cloud: Cloud, bayesian, kind):
    parent = bayesian[0]
    made = tuning.request(
        cloud, static={"kind": "good", "n": "5"}, Strategy="Bayesian", ResourceLimits=limits(1, 1), RandomSeed=9
    )
    made["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent["HyperParameterTuningJobName"]}],
        "WarmStartType": kind,
    }
    job, children = tuning.run(cloud, made)
    assert tuning.values(children)[0] == pytest.approx(0.04, abs=0.005)  # the first job is as good as the parent's best
    assert job["WarmStartConfig"]["WarmStartType"] == kind
    if kind == "TransferLearning":
        assert "OverallBestTrainingJob" not in job
    else:
        both = [job["BestTrainingJob"], parent["BestTrainingJob"]]
        assert job["OverallBestTrainingJob"] == min(both, key=lambda best: tuning.values([best])[0])


def test_several_definitions_share_the_jobs(cloud: Cloud):
    base = tuning.request(cloud)
    made = tuning.several(base, good={}, bad={"StaticHyperParameters": {"kind": "bad"}})
    job, children = tuning.run(cloud, made)
    assert [child["TrainingJobDefinitionName"] for child in children] == ["good", "bad", "good", "bad"]
    assert job["BestTrainingJob"]["TrainingJobDefinitionName"] == "good"
    assert [part["DefinitionName"] for part in job["TrainingJobDefinitions"]] == ["good", "bad"]


def test_the_tuning_job_s_own_form_of_resources(cloud: Cloud):
    made = tuning.request(cloud, ResourceLimits=limits(1, 1))
    given = made["TrainingJobDefinition"].pop("ResourceConfig")
    made["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] = given
    assert cloud.describe(tuning.run(cloud, made)[1][0]["TrainingJobName"])["ResourceConfig"] == given
    made = tuning.request(cloud, ResourceLimits=limits(1, 1))
    made["TrainingJobDefinition"].pop("ResourceConfig")
    made["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] = {
        "InstanceConfigs": [given, {**given, "InstanceType": "ml.c5.xlarge"}], "AllocationStrategy": "Prioritized"
    }  # fmt: skip
    assert cloud.describe(tuning.run(cloud, made)[1][0]["TrainingJobName"])["ResourceConfig"] == given


def test_checkpoints_of_the_training_jobs_lie_apart(cloud: Cloud):
    made = tuning.request(cloud, ResourceLimits=limits(1, 1))
    made["TrainingJobDefinition"]["CheckpointConfig"] = {"S3Uri": f"s3://{cloud.bucket}/checkpoints/"}
    name = tuning.run(cloud, made)[1][0]["TrainingJobName"]
    assert cloud.describe(name)["CheckpointConfig"]["S3Uri"] == f"s3://{cloud.bucket}/checkpoints/{name}"


def test_an_algorithm_s_own_metric_is_an_objective(cloud: Cloud):
    made = tuning.request(
        cloud,
        Strategy="Grid",
        HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "train:loss"},
        ResourceLimits=limits(None),
        ParameterRanges=ranges(lines=["1", "4"]),
    )
    made["TrainingJobDefinition"]["AlgorithmSpecification"] = {
        "TrainingImage": "registry/tiny:1", "TrainingInputMode": "File"
    }  # fmt: skip
    job, _ = tuning.run(cloud, made)
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"lines": "4"}


def test_delete(cloud: Cloud):
    job, children = tuning.run(cloud, tuning.request(cloud, ResourceLimits=limits(1, 1)))
    name = job["HyperParameterTuningJobName"]
    cloud.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert not cloud.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    assert cloud.describe(children[0]["TrainingJobName"])["TrainingJobStatus"] == "Completed"
