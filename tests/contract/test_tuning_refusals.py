"""Tuning jobs that cannot be: refused at Create, with the service's codes."""

import copy

import pytest

from contract import tuning
from contract.cloud import Cloud, error_of, unique
from contract.tuning import limits, ranges

IDENTICAL, TRANSFER = "IdenticalDataAndAlgorithm", "TransferLearning"


def hyperband(**given):
    return {"Strategy": "Hyperband", "StrategyConfig": {"HyperbandStrategyConfig": given}}


def scaled(low: str, high: str, scale: str, kind: str = "Continuous"):
    return {f"{kind}ParameterRanges": [{"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}]}


CONFIGURATIONS = {
    "min above max": ({"ParameterRanges": ranges(x=(1.0, 0.0))}, "must be less than MaxValue 0.0"),
    "one value": ({"ParameterRanges": ranges(n=(3, 3))}, "must be less than MaxValue"),
    "no number": ({"ParameterRanges": scaled("low", "1", "Auto")}, "MinValue of hyperparameter x must be a number"),
    "no integer": ({"ParameterRanges": scaled("0.5", "1", "Auto", "Integer")}, "must be an integer"),
    "log of nothing": ({"ParameterRanges": scaled("0", "1", "Logarithmic")}, "greater than 0"),
    "reverse log": ({"ParameterRanges": scaled("0", "1", "ReverseLogarithmic")}, "0 <= x < 1"),
    "equal values": ({"ParameterRanges": ranges(kind=["a", "a"])}, "must be different"),
    "no ranges": ({"ParameterRanges": {}}, "At least one hyperparameter range"),
    "two ranges": ({"ParameterRanges": {**ranges(x=(0.0, 1.0)), **ranges(x=(1, 2))}}, "more than one range"),
    "automatic ranges": (
        {"ParameterRanges": {**ranges(x=(0.0, 1.0)), "AutoParameters": [{"Name": "y", "ValueHint": "1"}]}},
        "AutoParameters is not emulated",
    ),
    "too few combinations": ({"ParameterRanges": ranges(n=(1, 3))}, "You don't have enough combinations"),
    "parallel above total": ({"ResourceLimits": limits(2, 3)}, "MaxParallelTrainingJobs [3] must be less"),
    "no total": ({"ResourceLimits": limits(None)}, "needs ResourceLimits.MaxNumberOfTrainingJobs"),
    "unknown metric": (
        {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "accuracy"}},
        "A metric is required for this hyperparameter tuning job objective",
    ),
    "no objective": ({"HyperParameterTuningJobObjective": None}, "HyperParameterTuningJobObjective is required"),
    "grid of numbers": ({"Strategy": "Grid"}, "categorical ranges only"),
    "another total than the grid": (
        {"Strategy": "Grid", "ParameterRanges": ranges(n=["1", "2"]), "ResourceLimits": limits(1, 1)},
        "must match the number of distinct combinations",
    ),
    "hyperband without resource": ({"Strategy": "Hyperband"}, "needs HyperbandStrategyConfig.MaxResource"),
    "hyperband turned round": (hyperband(MinResource=9, MaxResource=3), "must be less than MaxResource"),
    "hyperband with early stopping": (
        {**hyperband(MaxResource=9), "TrainingJobEarlyStoppingType": "Auto"}, "must be Off",
    ),
    "hyperband's configuration for another": (
        {**hyperband(MaxResource=9), "Strategy": "Random"}, "only for the strategy Hyperband",
    ),
    "convergence": (
        {"TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}},
        "ConvergenceDetected.CompleteOnConvergence Enabled",
    ),
    "unknown strategy": ({"Strategy": "Annealing"}, "enum value set"),
}  # fmt: skip


@pytest.mark.parametrize(("config", "words"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_configurations(cloud: Cloud, config, words):
    made = tuning.request(cloud)
    made["HyperParameterTuningJobConfig"] |= config
    made["HyperParameterTuningJobConfig"] = {
        name: value for name, value in made["HyperParameterTuningJobConfig"].items() if value is not None
    }
    refused(cloud, made, words)


def refused(cloud: Cloud, made, words, code="ValidationException"):
    found, status, message = error_of(cloud.sagemaker.create_hyper_parameter_tuning_job, **made)
    assert (found, status) == (code, 400)
    assert words in message
    name = made["HyperParameterTuningJobName"]
    assert error_of(tuning.describe, cloud=cloud, name=name)[0] == "ResourceNotFound"


@pytest.mark.parametrize("given", [limits(751), limits(20, 11)])
def test_quotas(cloud: Cloud, given):
    refused(cloud, tuning.request(cloud, ResourceLimits=given), "service limit", "ResourceLimitExceeded")


DEFINITIONS = {
    "static and tuned": ({"StaticHyperParameters": {"x": "1"}}, "both static and tunable"),
    "unknown image": (
        {"AlgorithmSpecification": {"TrainingImage": "nowhere/none", "TrainingInputMode": "File"}},
        "Cannot find the image",
    ),
    "an algorithm that has no such metric": (
        {"AlgorithmSpecification": {"TrainingImage": "registry/tiny:1", "TrainingInputMode": "File"}},
        "isn't valid for the [registry/tiny:1] algorithm",
    ),
    "another's role": ({"RoleArn": "arn:aws:iam::123456789012:role/Nobody"}, "Could not assume role"),
    "no resources": ({"ResourceConfig": None}, "ResourceConfig"),
    "many hosts": (
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 99, "VolumeSizeInGB": 1}},
        "service limit",
    ),
    "isolation": ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation is not emulated"),
    "its own objective": ({"TuningObjective": {"Type": "Minimize", "MetricName": "loss"}}, "TrainingJobDefinitions"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_definitions(cloud: Cloud, change, words):
    made = tuning.request(cloud)
    members = {**made["TrainingJobDefinition"], **change}
    made["TrainingJobDefinition"] = {name: value for name, value in members.items() if value is not None}
    code = "ResourceLimitExceeded" if words == "service limit" else "ValidationException"
    refused(cloud, made, words, code)


def test_one_definition_or_several(cloud: Cloud):
    single = tuning.request(cloud)
    several = tuning.several(single, a={}, b={})
    refused(cloud, {**single, "TrainingJobDefinitions": several["TrainingJobDefinitions"]}, "Exactly one of")
    neither = {name: value for name, value in single.items() if name != "TrainingJobDefinition"}
    refused(cloud, neither, "Exactly one of")


SEVERAL = {
    "objective twice": (
        lambda made: made["HyperParameterTuningJobConfig"].update(
            HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "loss"}
        ),
        "HyperParameterTuningJobObjective must not be provided",
    ),
    "early stopping": (
        lambda made: made["HyperParameterTuningJobConfig"].update(TrainingJobEarlyStoppingType="Auto"),
        "only for tuning jobs with one algorithm",
    ),
    "one name twice": (
        lambda made: made["TrainingJobDefinitions"][1].update(DefinitionName="a"),
        "must be unique",
    ),
    "no ranges": (
        lambda made: made["TrainingJobDefinitions"][1].pop("HyperParameterRanges"),
        "needs a HyperParameterRanges",
    ),
    "different directions": (
        lambda made: made["TrainingJobDefinitions"][1].update(
            TuningObjective={"Type": "Maximize", "MetricName": "loss"}
        ),
        "different objective types",
    ),
}


@pytest.mark.parametrize(("change", "words"), SEVERAL.values(), ids=SEVERAL)
def test_several_definitions(cloud: Cloud, change, words):
    made = copy.deepcopy(tuning.several(tuning.request(cloud), a={}, b={}))
    change(made)
    refused(cloud, made, words)


def test_automatic_tuning_is_not_emulated(cloud: Cloud):
    refused(cloud, {**tuning.request(cloud), "Autotune": {"Mode": "Enabled"}}, "Autotune is not emulated")


def warm(made, kind, *parents):
    names = [{"HyperParameterTuningJobName": parent} for parent in parents]
    return {**made, "WarmStartConfig": {"ParentHyperParameterTuningJobs": names, "WarmStartType": kind}}


def test_warm_starts(cloud: Cloud):
    parent = tuning.start(cloud, tuning.request(cloud, static={"pause": 600}, ResourceLimits=limits(1, 1)))
    made = tuning.request(cloud, static={"pause": 0})
    error = error_of(cloud.sagemaker.create_hyper_parameter_tuning_job, **warm(made, TRANSFER, "nobody"))
    assert error[0] == "ResourceNotFound"
    refused(cloud, warm(made, TRANSFER, parent), "must have ended")
    cloud.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=parent)
    tuning.wait(cloud, parent)
    refused(cloud, warm(made, TRANSFER, parent, parent), "different from each other")
    more = copy.deepcopy(made)
    more["TrainingJobDefinition"]["StaticHyperParameters"]["kind"] = "good"
    refused(cloud, warm(more, IDENTICAL, parent), "[3] must be the same as in the parent")
    other = copy.deepcopy(made)
    other["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = "Maximize"
    refused(cloud, warm(other, TRANSFER, parent), "must be the same as that of its parent")
    data = copy.deepcopy(made)
    data["TrainingJobDefinition"]["InputDataConfig"] = [
        {"ChannelName": "a", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}}
    ]
    refused(cloud, warm(data, IDENTICAL, parent), "InputDataConfig must be the same")
    grid = tuning.request(cloud, Strategy="Grid", ParameterRanges=ranges(n=["1", "2"]), ResourceLimits=limits(None))
    refused(cloud, warm(grid, TRANSFER, parent), "strategy Grid is not emulated")
    many = tuning.request(cloud, static={"pause": 0}, ResourceLimits=limits(750))
    refused(cloud, warm(many, TRANSFER, parent), "service limit", "ResourceLimitExceeded")


def test_a_name_is_taken_once(cloud: Cloud):
    made = tuning.request(cloud, ResourceLimits=limits(1, 1))
    tuning.run(cloud, made)
    code, _, message = error_of(cloud.sagemaker.create_hyper_parameter_tuning_job, **made)
    assert code == "ResourceInUse"
    assert f"with the name, {made['HyperParameterTuningJobName']}, already exists" in message


def test_states(cloud: Cloud):
    client = cloud.sagemaker
    name = tuning.start(cloud, tuning.request(cloud, static={"pause": 600}))
    delete, stop = client.delete_hyper_parameter_tuning_job, client.stop_hyper_parameter_tuning_job
    assert error_of(delete, HyperParameterTuningJobName=name)[0] == "ResourceInUse"
    stop(HyperParameterTuningJobName=name)
    tuning.wait(cloud, name)
    code, _, message = error_of(stop, HyperParameterTuningJobName=name)
    assert (code, "Stopped" in message) == ("ValidationException", True)
    for call in (delete, stop, client.list_training_jobs_for_hyper_parameter_tuning_job):
        code, _, message = error_of(call, HyperParameterTuningJobName=(missing := unique("missing")))
        assert (code, missing in message) == ("ResourceNotFound", True)
