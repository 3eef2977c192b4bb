"""List operations and tags."""

from datetime import UTC, datetime, timedelta

import pytest

from contract.cloud import Cloud, error_of, unique


@pytest.fixture(scope="module")
def models(cloud: Cloud) -> list[str]:
    """Twelve models that no other test makes, in order of creation."""
    names = [f"paged-{number:02}-model" for number in range(12)]
    for name in names:
        cloud.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": "tiny"},
            ExecutionRoleArn=cloud.connection.role_arn,
            Tags=[{"Key": "number", "Value": name[6:8]}],
        )
    return names


def names(cloud: Cloud, **filters: object) -> list[str]:
    answer = cloud.sagemaker.list_models(NameContains="PAGED-", **filters)
    return [model["ModelName"] for model in answer["Models"]]


def test_order(cloud: Cloud, models: list[str]) -> None:
    assert names(cloud, MaxResults=100) == models[::-1]
    assert names(cloud, MaxResults=100, SortOrder="Ascending") == models
    assert names(cloud, SortBy="Name", SortOrder="Descending", MaxResults=2) == models[:-3:-1]


def test_pages(cloud: Cloud, models: list[str]) -> None:
    pages = cloud.sagemaker.get_paginator("list_models").paginate(
        NameContains="paged-", PaginationConfig={"PageSize": 5}
    )
    sizes = [[model["ModelName"] for model in page["Models"]] for page in pages]
    assert [len(page) for page in sizes] == [5, 5, 2]
    assert sorted(name for page in sizes for name in page) == models
    assert len(names(cloud)) == 10  # AWS's default page


def test_times(cloud: Cloud, models: list[str]) -> None:
    now = datetime.now(UTC)
    assert len(names(cloud, CreationTimeBefore=now + timedelta(hours=1), MaxResults=100)) == 12
    assert names(cloud, CreationTimeAfter=now + timedelta(hours=1)) == []


def test_a_bad_token(cloud: Cloud) -> None:
    assert error_of(cloud.sagemaker.list_models, NextToken="???")[0] == "ValidationException"


def test_jobs_by_status(cloud: Cloud) -> None:
    name = cloud.run({"exit": 3})["TrainingJobName"]
    failed = cloud.sagemaker.list_training_jobs(StatusEquals="Failed", NameContains=name)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in failed] == [name]
    assert failed[0].keys() == {
        "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
        "TrainingJobStatus", "SecondaryStatus",
    }  # fmt: skip
    assert not cloud.sagemaker.list_training_jobs(StatusEquals="Stopped", NameContains=name)["TrainingJobSummaries"]


def test_filters_that_are_not_emulated(cloud: Cloud) -> None:
    _, _, text = error_of(cloud.sagemaker.list_training_jobs, WarmPoolStatusEquals="Available")
    assert text == "WarmPoolStatusEquals is not emulated by the local SageMaker."


def test_endpoints_and_configs_are_listed(cloud: Cloud) -> None:
    name = cloud.deploy()
    cloud.wait_endpoint(name)
    found = cloud.sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert [endpoint["EndpointName"] for endpoint in found] == [name]
    configs = cloud.sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in configs] == [name]
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_tags(cloud: Cloud, models: list[str]) -> None:
    arn = cloud.sagemaker.describe_model(ModelName=models[0])["ModelArn"]
    cloud.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "number", "Value": "new"}])
    assert tags(cloud, arn) == {"number": "new", "a": "1"}
    cloud.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["number", "absent"])
    assert tags(cloud, arn) == {"a": "1"}


def tags(cloud: Cloud, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def test_refused_tags(cloud: Cloud, models: list[str]) -> None:
    arn = cloud.sagemaker.describe_model(ModelName=models[1])["ModelArn"]
    many = [{"Key": unique("k"), "Value": "v"} for _ in range(50)]
    assert "at most 50 tags" in error_of(cloud.sagemaker.add_tags, ResourceArn=arn, Tags=many)[2]
    assert len(tags(cloud, arn)) == 1
    unknown = arn.replace(models[1], "nowhere")
    assert "Could not find resource" in error_of(cloud.sagemaker.list_tags, ResourceArn=unknown)[2]
    bad = [{"Key": "emoji\u2603", "Value": "v"}]
    assert "regular expression pattern" in error_of(cloud.sagemaker.add_tags, ResourceArn=arn, Tags=bad)[2]
