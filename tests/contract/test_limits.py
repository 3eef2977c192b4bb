"""Instance types by use, and how much of everything a request may ask for."""

from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from contract import seeds
from contract.cloud import Cloud, error_of, variant

NAME = "limited"


@pytest.fixture(scope="module")
def requests(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """A right request for every Create operation."""
    return seeds.seeds(cloud, NAME)


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> BaseClient:
    """A client that leaves all checks to the server."""
    session = boto3.Session(region_name=cloud.connection.region)
    return session.client("sagemaker", config=Config(parameter_validation=False))


def refusal(client: BaseClient, operation: str, request: dict[str, Any]) -> str:
    """The message with which a request is refused as invalid."""
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    code, status, text = error_of(getattr(client, words), **request)
    assert (code, status) == ("ValidationException", 400), text
    return text


def replaced(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """``request`` with the member at a path such as "A.B" replaced."""
    name, _, rest = path.partition(".")
    if name.isdigit():
        items = list(request)
        items[int(name)] = replaced(items[int(name)], rest, value)
        return items
    return {**request, name: replaced(request[name], rest, value) if rest else value}


INSTANCES = [
    ("CreateTrainingJob", "ResourceConfig.InstanceType", "ml.inf1.xlarge", "ml.m5.large"),  # hosting alone has it
    ("CreateEndpointConfig", "ProductionVariants.0.InstanceType", "ml.p3dn.24xlarge", "ml.inf1.xlarge"),
    ("CreateTransformJob", "TransformResources.InstanceType", "ml.t3.medium", "ml.m5.large"),
    ("CreateProcessingJob", "ProcessingResources.ClusterConfig.InstanceType", "ml.inf1.xlarge", "ml.t3.medium"),
]


@pytest.mark.parametrize(("operation", "path", "wrong", "right"), INSTANCES)
def test_instance_types(client: BaseClient, requests, operation: str, path: str, wrong: str, right: str) -> None:
    """Every use has its own list: that of botocore's model, whose version the message names."""
    for value in (wrong, "ml.m5.tiny", "m5.large"):
        text = refusal(client, operation, replaced(requests[operation], path, value))
        assert f"'{value}'" in text
        assert "values, as of botocore 1." in text
    assert "ml.m5.large" in refusal(client, operation, replaced(requests[operation], path, "ml.m5.larg"))
    unknown = replaced(replaced(requests[operation], path, right), *BREAK[operation])
    assert "nstanceType" not in refusal(client, operation, unknown)


# What makes a request fail for another reason than its instance type.
BREAK = {
    "CreateTrainingJob": ("RoleArn", "arn:aws:iam::123456789012:role/Nobody"),
    "CreateEndpointConfig": ("ProductionVariants.0.ModelName", "nowhere"),
    "CreateTransformJob": ("ModelName", "nowhere"),
    "CreateProcessingJob": ("RoleArn", "arn:aws:iam::123456789012:role/Nobody"),
}


def many(count: int, length: int = 1) -> dict[str, str]:
    return {f"k{number}": "v" * length for number in range(count)}


LIMITS = [
    ("CreateTrainingJob", "HyperParameters", many(101), "at most 100"),
    ("CreateTrainingJob", "HyperParameters", {"k": "v" * 2501}, "at most 2500"),
    ("CreateTrainingJob", "HyperParameters", {"k" * 257: "v"}, "at most 256"),
    ("CreateTrainingJob", "Environment", many(101), "at most 100"),
    ("CreateTrainingJob", "Environment", many(1, 513), "at most 512"),
    ("CreateTrainingJob", "Environment", {"9bad": "v"}, "regular expression"),
    ("CreateTrainingJob", "AlgorithmSpecification.MetricDefinitions", [{"Name": "m", "Regex": "x"}] * 41, "at most 40"),
    ("CreateTrainingJob", "StoppingCondition.MaxRuntimeInSeconds", 0, "at least 1"),
    ("CreateTrainingJob", "Tags", [{"Key": f"k{n}", "Value": "v"} for n in range(51)], "at most 50"),
    ("CreateTrainingJob", "Tags", [{"Key": "k" * 129, "Value": "v"}], "at most 128"),
    ("CreateTrainingJob", "TrainingJobName", "n" * 64, "at most 63"),
    ("CreateModel", "ModelName", "-n", "regular expression"),
    ("CreateModel", "PrimaryContainer.Environment", many(101), "at most 100"),
    (
        "CreateEndpointConfig",
        "ProductionVariants",
        [variant("m", VariantName=f"v{n}") for n in range(11)],
        "at most 10",
    ),
    ("CreateEndpointConfig", "ProductionVariants", [], "at least 1"),
    ("CreateEndpoint", "EndpointName", "a.b", "regular expression"),
    ("CreateProcessingJob", "AppSpecification.ContainerArguments", ["a"] * 101, "at most 100"),
    ("CreateProcessingJob", "Environment", many(101), "at most 100"),
    ("CreateTransformJob", "MaxPayloadInMB", -1, "at least 0"),
    ("CreatePipeline", "PipelineDefinition", "x" * 1048577, "at most 1048576"),
    ("CreatePipeline", "ClientRequestToken", "short", "at least 32"),
    ("CreateModelPackageGroup", "ModelPackageGroupDescription", "d" * 1025, "at most 1024"),
    ("CreateExperiment", "ExperimentName", "n" * 121, "at most 120"),
]
WORDS = {
    "at most": "less than or equal to",
    "at least": "greater than or equal to",
    "regular expression": "satisfy regular expression pattern",
}


@pytest.mark.parametrize(("operation", "path", "value", "rule"), LIMITS)
def test_limits(client: BaseClient, requests, operation: str, path: str, value: Any, rule: str) -> None:
    text = refusal(client, operation, replaced(requests[operation], path, value))
    words, _, number = rule.rpartition(" ") if rule[-1].isdigit() else (rule, "", "")
    assert f"{WORDS[words]} {number}".strip() in text


def test_twenty_channels(client: BaseClient, requests) -> None:
    request = requests["CreateTrainingJob"]
    (channel,) = request["InputDataConfig"]
    channels = [{**channel, "ChannelName": f"c{number}"} for number in range(21)]
    text = refusal(client, "CreateTrainingJob", {**request, "InputDataConfig": channels})
    assert "less than or equal to 20" in text


def test_a_runtime_beyond_the_quota(cloud: Cloud, requests) -> None:
    request = replaced(requests["CreateTrainingJob"], "StoppingCondition.MaxRuntimeInSeconds", 29 * 86400)
    code, status, text = error_of(cloud.sagemaker.create_training_job, **request)
    assert (code, status) == ("ResourceLimitExceeded", 400)
    assert "MaxRuntimeInSeconds" in text


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "Tag keys must be unique"),
        ([{"Key": "AWS:k", "Value": "1"}], "aws: prefixed tag key names are not allowed"),
    ],
)
def test_tags(client: BaseClient, requests, tags: list, message: str) -> None:
    for operation in ("CreateTrainingJob", "CreateModel", "CreatePipeline", "CreateModelPackageGroup"):
        assert message in refusal(client, operation, {**requests[operation], "Tags": tags})


def test_a_body_beyond_all_bounds(cloud: Cloud, requests) -> None:
    request = {**requests["CreateModelPackageGroup"], "ModelPackageGroupDescription": "d" * (33 << 20)}
    code, status, _ = error_of(cloud.sagemaker.create_model_package_group, **request)
    assert (code, status) == ("RequestEntityTooLarge", 413)


def test_nothing_was_made(cloud: Cloud, requests) -> None:
    jobs = cloud.sagemaker.list_training_jobs(NameContains=NAME)["TrainingJobSummaries"]
    assert jobs == cloud.sagemaker.list_models(NameContains=NAME)["Models"] == []
