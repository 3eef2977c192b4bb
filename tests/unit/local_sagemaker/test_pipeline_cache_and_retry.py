"""Caching and retrying of pipeline steps."""

from typing import Any

import pytest

from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines import retries
from local_sagemaker.pipelines.cache import cache_key, find_hit, parse_cache_config, seconds
from local_sagemaker.pipelines.kinds import KINDS
from local_sagemaker.pipelines.problems import Problem

DAY = 86_400


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("P30D", 30 * DAY), ("p30d", 30 * DAY), ("30d", 30 * DAY), ("PT1H", 3600), ("T16m", 960), ("P1M", 30 * DAY),
        ("5y", 5 * 365 * DAY), ("30dT5h", 30 * DAY + 5 * 3600), ("P1W", 7 * DAY), ("P1Y2M3DT4H5M6S", 36_993_906),
    ],
)  # fmt: skip
def test_durations(duration: str, expected: float) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["", "P", "PT", "1 day", "P1H", "-P1D", "P1.5D", "3600"])
def test_what_is_no_duration(duration: str) -> None:
    with pytest.raises(Problem, match="is not an ISO 8601 duration"):
        seconds(duration)


@pytest.mark.parametrize("config", [{}, {"Enabled": "yes"}, {"Enabled": True}, {"Enabled": True, "TTL": "P1D"}, True])
def test_refused_cache_configs(config: Any) -> None:
    with pytest.raises(Problem):
        parse_cache_config(config)


def key(kind: str = "Training", step: str = "S", **arguments: Any) -> str:
    members = KINDS[kind].cached
    assert members is not None
    base = {"HyperParameters": {"a": "1", "b": "2"}, "OutputDataConfig": {"S3OutputPath": "s3://b/1"}}
    return cache_key(step, kind, {**base, **arguments}, members)


def test_keys_differ_by_what_aws_compares() -> None:
    assert key() == key(OutputDataConfig={"S3OutputPath": "s3://b/2"})
    assert key() == key(HyperParameters={"b": "2", "a": "1"})
    assert key() == key(Environment=None)
    assert key() != key(HyperParameters={"a": "1"})
    assert key() != key(Environment={"A": "1"})
    assert key() != key(step="T")


def test_keys_of_tuning_look_into_the_definition() -> None:
    def tuning(**definition: Any) -> str:
        return key("Tuning", TrainingJobDefinition={"StaticHyperParameters": {"a": "1"}, **definition})

    assert tuning() == tuning(OutputDataConfig={"S3OutputPath": "s3://b/2"})
    assert tuning() != tuning(InputDataConfig=[])


def run(number: int, **step: Any) -> dict:
    member = {"_key": "k", "StepStatus": "Succeeded", "EndTime": float(number), **step}
    return {"PipelineExecutionArn": f"arn-{number}", "_steps": {"S": member}}


def test_the_newest_success_is_the_hit() -> None:
    runs = [run(1), run(3), run(2), run(9, StepStatus="Failed"), run(8, _key="other"), run(7, CacheHitResult={})]
    hit = find_hit(runs, "k", 2.5)
    assert hit is not None
    assert hit[0] == "arn-3"
    assert find_hit(runs, "k", 3.5) is None
    assert find_hit([], "k", 0) is None


def policy(**members: Any) -> dict:
    return {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "MaxAttempts": 2, **members}


def test_delays_grow_until_the_attempts_are_used_up() -> None:
    (parsed,) = retries.parse_retry_policies([policy(IntervalSeconds=3, BackoffRate=2)], retries.JOB_FAULTS)
    assert [parsed.delay(done, 0) for done in range(3)] == [3, 6, None]


def test_delays_end_with_the_time() -> None:
    timed = {
        "ExceptionType": ["SageMaker.RESOURCE_LIMIT"],
        "ExpireAfterMin": 1,
        "IntervalSeconds": 20,
        "BackoffRate": 1,
    }
    (parsed,) = retries.parse_retry_policies([timed], retries.JOB_FAULTS)
    assert parsed.delay(50, 40) == 20
    assert parsed.delay(0, 41) is None


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ({}, "Expecting start of Json Array"),
        ([policy(ExceptionType=["Weather"])], "ExceptionType 'Weather' is none of"),
        ([policy(), policy()], "an ExceptionType is named twice"),
        ([policy(MaxAttempts=21)], "MaxAttempts 21 is not between 1 and 20"),
        ([policy(IntervalSeconds="1")], "IntervalSeconds '1' is not between"),
        ([policy(ExpireAfterMin=3)], "needs MaxAttempts or ExpireAfterMin, and not both"),
        ([policy(Backoff=3)], "unknown property 'Backoff'"),
    ],
)
def test_refused_policies(policies: Any, message: str) -> None:
    with pytest.raises(Problem, match=message):
        retries.parse_retry_policies(policies, retries.JOB_FAULTS)


def test_kinds_of_failures() -> None:
    assert retries.kind_of_error(AwsError("ResourceLimitExceeded", "")) == retries.LIMIT
    assert retries.kind_of_error(AwsError("InternalFailure", "", 500)) == retries.SERVICE_FAULT
    assert retries.kind_of_error(AwsError("ValidationException", "")) is None
    assert retries.kind_of_failure("InternalServerError: the server ended") == retries.INTERNAL_ERROR
    assert retries.kind_of_failure("AlgorithmError: InternalServerError") is None
