"""Requests against botocore's model, what is emulated, and pages of lists."""

import pytest

from local_sagemaker.api import listing, model
from local_sagemaker.api.emulated import refuse_rest
from local_sagemaker.api.training import EMULATED
from local_sagemaker.errors import AwsError


def problem(operation: str, request: object) -> AwsError:
    with pytest.raises(AwsError) as raised:
        model.check(model.operation(operation).input_shape, request)
    return raised.value


MODEL = {"ModelName": "m", "PrimaryContainer": {"Image": "i", "Environment": {"A": "1"}}}


def test_valid_requests() -> None:
    for request in (
        MODEL,
        {**MODEL, "Tags": [{"Key": "Straße ü", "Value": ""}]},
        {"ModelName": "m", "VpcConfig": None},
    ):
        model.check(model.operation("CreateModel").input_shape, request)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not"),
        ({"ModelName": None}, "Member must not be null"),
        ({"ModelName": "a_b"}, "Value 'a_b' at 'modelName' failed to satisfy constraint: Member must satisfy regular"),
        ({"ModelName": "m" * 64}, "length less than or equal to 63"),
        ({**MODEL, "NewFeature": 1}, "Unknown member 'NewFeature'"),
        ({**MODEL, "PrimaryContainer": {"Mode": "X"}}, "Member must satisfy enum value set: [SingleModel, MultiModel]"),
        ({**MODEL, "Tags": [{"Key": "", "Value": "v"}]}, "'tags.1.member.key'"),
        ({**MODEL, "Tags": [{"Key": "k"}]}, "Value null at 'tags.1.member.value'"),
        ({"ModelName": "_", "ExecutionRoleArn": "x"}, "3 validation errors detected"),
    ],
)  # fmt: skip
def test_validation(request_: dict, message: str) -> None:
    error = problem("CreateModel", request_)
    assert (error.code, error.status) == ("ValidationException", 400)
    assert message in error.message


@pytest.mark.parametrize("value", ["10", 1.5, True, [], {}])
def test_wrong_types(value: object) -> None:
    assert problem("ListModels", {"MaxResults": value}).code == "SerializationException"


def test_numbers_have_ranges() -> None:
    assert "greater than or equal to 1" in problem("ListModels", {"MaxResults": 0}).message
    assert "less than or equal to 100" in problem("ListModels", {"MaxResults": 101}).message


def test_unknown_operations() -> None:
    assert model.operation("MakeCoffee") is None


def test_answers_hold_the_models_members_only() -> None:
    shape = model.operation("DescribeModel").output_shape
    assert model.select(shape, {"ModelName": "m", "_tags": {}, "Tags": []}) == {"ModelName": "m"}


@pytest.mark.parametrize(
    ("member", "value", "refused"),
    [
        ("EnableNetworkIsolation", True, True),
        ("EnableNetworkIsolation", False, False),
        ("VpcConfig", {"Subnets": []}, False),
        ("VpcConfig", {"Subnets": ["s"]}, True),
        ("DebugHookConfig", {"S3OutputPath": ""}, False),
        ("ProfilerConfig", {"DisableProfiler": True}, False),
        ("ProfilerConfig", {"DisableProfiler": False}, True),
        ("ResourceConfig", {"TrainingPlanArn": "arn"}, True),
    ],
)
def test_only_what_asks_for_something_is_refused(member: str, value: object, refused: bool) -> None:
    if refused:
        with pytest.raises(AwsError, match=f"{member}.* is not emulated"):
            refuse_rest(EMULATED["CreateTrainingJob"], {member: value})
    else:
        refuse_rest(EMULATED["CreateTrainingJob"], {member: value})


def records(count: int) -> list[dict]:
    return [{"ModelName": f"m{n}", "CreationTime": float(n // 2), "LastModifiedTime": 0.0} for n in range(count)]


def list_names(count: int, **request: object) -> tuple[list[str], str | None]:
    page = listing.page(records(count), request, answer="Models", members=("ModelName", "CreationTime"))
    return [item["ModelName"] for item in page["Models"]], page.get("NextToken")


def test_pages_hold_every_record_once() -> None:
    names, token = list_names(25)
    while token:
        more, token = list_names(25, NextToken=token)
        names += more
    assert sorted(names) == sorted(f"m{n}" for n in range(25))
    assert names[0] == "m24"


def test_exact_pages_have_no_token() -> None:
    assert list_names(10)[1] is None
    assert list_names(0) == ([], None)


def test_filters() -> None:
    assert list_names(25, NameContains="M2", MaxResults=100, SortBy="Name", SortOrder="Ascending")[0] == [
        "m2", "m20", "m21", "m22", "m23", "m24",
    ]  # fmt: skip
    assert list_names(6, CreationTimeAfter=0.5, CreationTimeBefore="1970-01-01T00:00:02Z")[0] == ["m3", "m2"]


@pytest.mark.parametrize("request_", [{"NextToken": "x"}, {"CreationTimeAfter": "yesterday"}])
def test_bad_filters(request_: dict) -> None:
    with pytest.raises(AwsError):
        list_names(3, **request_)
