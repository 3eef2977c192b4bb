"""Model package groups, their versions, and models made from them."""

import json
from typing import Any

import pytest

from contract.cloud import Cloud, archive, error_of, unique, variant


@pytest.fixture
def group(cloud: Cloud) -> str:
    name = unique("group")
    cloud.sagemaker.create_model_package_group(
        ModelPackageGroupName=name, ModelPackageGroupDescription="signals", Tags=[{"Key": "team", "Value": "rail"}]
    )
    return name


def inference(**changes: Any) -> dict[str, Any]:
    container = {"Image": "registry/tiny:1", "ModelDataUrl": "s3://any/model.tar.gz", **changes}
    return {
        "Containers": [{name: value for name, value in container.items() if value is not None}],
        "SupportedContentTypes": ["image/png"],
        "SupportedResponseMIMETypes": ["application/json"],
    }


def register(cloud: Cloud, group: str, **changes: Any) -> str:
    request = {"ModelPackageGroupName": group, "InferenceSpecification": inference(), **changes}
    return cloud.sagemaker.create_model_package(**request)["ModelPackageArn"]


def test_group(cloud: Cloud, group: str) -> None:
    described = cloud.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupStatus"] == "Completed"
    assert described["ModelPackageGroupDescription"] == "signals"
    arn = described["ModelPackageGroupArn"]
    assert cloud.sagemaker.describe_model_package_group(ModelPackageGroupName=arn)["ModelPackageGroupName"] == group
    assert cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "rail"}]
    listed = cloud.sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert [g["ModelPackageGroupName"] for g in listed] == [group]


def test_group_refusals(cloud: Cloud, group: str) -> None:
    sagemaker = cloud.sagemaker
    code, _, message = error_of(sagemaker.create_model_package_group, ModelPackageGroupName=group)
    assert code == "ValidationException"
    assert "already exists" in message
    code, status, message = error_of(sagemaker.describe_model_package_group, ModelPackageGroupName="absent")
    assert (code, status) == ("ValidationException", 400)
    assert "model-package-group/absent does not exist" in message
    other = "arn:aws:sagemaker:eu-north-1:123456789012:model-package-group/absent"
    assert other in error_of(sagemaker.describe_model_package_group, ModelPackageGroupName=other)[2]
    managed = {"ManagedStorageType": "Restricted"}
    arguments = {"ModelPackageGroupName": unique(), "ManagedConfiguration": managed}
    assert "not emulated" in error_of(sagemaker.create_model_package_group, **arguments)[2]


def test_versions(cloud: Cloud, group: str) -> None:
    arns = [register(cloud, group, ModelPackageDescription=f"number {n}") for n in (1, 2)]
    assert [arn.rpartition("model-package/")[2] for arn in arns] == [f"{group}/1", f"{group}/2"]
    second = cloud.sagemaker.describe_model_package(ModelPackageName=arns[1])
    assert (second["ModelPackageVersion"], second["ModelPackageGroupName"]) == (2, group)
    assert "ModelPackageName" not in second
    assert second["ModelApprovalStatus"] == "PendingManualApproval"
    assert second["ModelPackageStatus"] == "Completed"
    assert second["InferenceSpecification"] == inference()
    assert cloud.sagemaker.describe_model_package(ModelPackageName=f"{group}/1")["ModelPackageVersion"] == 1
    cloud.sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert register(cloud, group).endswith(f"{group}/3")  # a version's number is not used again


def test_approval(cloud: Cloud, group: str) -> None:
    arn = register(cloud, group, CustomerMetadataProperties={"a": "1", "b": "2"})
    cloud.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="mAP 0.6",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    package = cloud.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Approved", "mAP 0.6")
    assert package["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    register(cloud, group)
    listed = cloud.sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [p["ModelPackageVersion"] for p in listed["ModelPackageSummaryList"]] == [1]


def test_batch(cloud: Cloud, group: str) -> None:
    arn = register(cloud, group)
    absent = arn.removesuffix("1") + "9"
    answer = cloud.sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, absent])
    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == inference()
    assert answer["BatchDescribeModelPackageErrorMap"][absent]["ErrorCode"] == "ValidationException"


def test_pages(cloud: Cloud, group: str) -> None:
    for _ in range(3):
        register(cloud, group)
    pages = cloud.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, PaginationConfig={"PageSize": 2}
    )
    versions = [[p["ModelPackageVersion"] for p in page["ModelPackageSummaryList"]] for page in pages]
    assert versions == [[1, 2], [3]]


def test_client_token(cloud: Cloud, group: str) -> None:
    assert register(cloud, group, ClientToken="once") == register(cloud, group, ClientToken="once")


def test_group_with_versions_is_not_deleted(cloud: Cloud, group: str) -> None:
    arn = register(cloud, group)
    code, _, message = error_of(cloud.sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    assert code == "ConflictException"
    assert group in message
    cloud.sagemaker.delete_model_package(ModelPackageName=arn)
    cloud.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert "does not exist" in error_of(cloud.sagemaker.describe_model_package_group, ModelPackageGroupName=group)[2]
    assert "does not exist" in error_of(cloud.sagemaker.delete_model_package_group, ModelPackageGroupName=group)[2]


def test_unversioned(cloud: Cloud) -> None:
    name = unique("package")
    types = {
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
    }
    request = {"ModelPackageName": name, "InferenceSpecification": {**inference(), **types}}
    cloud.sagemaker.create_model_package(**request)
    package = cloud.sagemaker.describe_model_package(ModelPackageName=name)
    assert "ModelPackageVersion" not in package
    assert "ModelApprovalStatus" not in package
    listed = cloud.sagemaker.list_model_packages(NameContains=name)["ModelPackageSummaryList"]
    assert [p["ModelPackageName"] for p in listed] == [name]
    assert "already exists" in error_of(cloud.sagemaker.create_model_package, **request)[2]
    approve = {"ModelPackageArn": package["ModelPackageArn"], "ModelApprovalStatus": "Approved"}
    assert "ModelApprovalStatus" in error_of(cloud.sagemaker.update_model_package, **approve)[2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ModelPackageName": "both"}, "Cannot determine which one"),
        ({"ModelPackageGroupName": "absent"}, "model-package-group/absent does not exist"),
        ({"InferenceSpecification": inference(Image="nobody/unknown:1")}, "Cannot find the image nobody/unknown:1"),
        ({"InferenceSpecification": inference(Image=None)}, "Containers.1.Image must name an image"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "tag the model package group"),
        ({"CertifyForMarketplace": True}, "CertifyForMarketplace is not emulated"),
        ({"SecurityConfig": {"KmsKeyId": "key"}}, "SecurityConfig is not emulated"),
        ({"ModelApprovalStatus": "Perhaps"}, "modelApprovalStatus"),
    ],
)
def test_package_refusals(cloud: Cloud, group: str, changes: dict[str, Any], words: str) -> None:
    request = {"ModelPackageGroupName": group, "InferenceSpecification": inference(), **changes}
    code, status, message = error_of(cloud.sagemaker.create_model_package, **request)
    assert (code, status) == ("ValidationException", 400)
    assert words in message
    assert cloud.sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []


def test_absent_package(cloud: Cloud, group: str) -> None:
    sagemaker = cloud.sagemaker
    assert "Missing ARN" in error_of(sagemaker.create_model_package, InferenceSpecification=inference())[2]
    assert f"{group}/7 does not exist" in error_of(sagemaker.describe_model_package, ModelPackageName=f"{group}/7")[2]
    assert "does not exist" in error_of(sagemaker.delete_model_package, ModelPackageName=f"{group}/7")[2]
    arn = register(cloud, group).removesuffix("1") + "7"
    rejected = {"ModelPackageArn": arn, "ModelApprovalStatus": "Rejected"}
    assert "does not exist" in error_of(sagemaker.update_model_package, **rejected)[2]
    absent = {"ModelPackageGroupName": "absent"}
    assert "does not exist" in error_of(sagemaker.list_model_packages, **absent)[2]


@pytest.mark.sdk
def test_model_from_a_package(cloud: Cloud, group: str) -> None:
    """A model made from a package serves the package's container, with the request's environment on top."""
    data = cloud.put(f"{group}/model.tar.gz", archive({"weights.txt": b"w"}))
    package = register(
        cloud, group, InferenceSpecification=inference(ModelDataUrl=data, Environment={"A": "package", "B": "package"})
    )
    name = unique("packaged")
    container = {"ModelPackageName": package, "Environment": {"A": "request"}}
    request = {"ModelName": name, "ExecutionRoleArn": cloud.connection.role_arn}
    cloud.sagemaker.create_model(**request, Containers=[container])
    assert cloud.sagemaker.describe_model(ModelName=name)["Containers"] == [container]
    cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    seen = json.loads(cloud.invoke(name, b"model"))
    assert seen["files"] == ["weights.txt"]
    assert (seen["environ"]["A"], seen["environ"]["B"]) == ("request", "package")
    cloud.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"ModelPackageName": "absent"}, "model-package/absent does not exist"),
        ({"ModelPackageName": "absent", "Image": "registry/tiny:1"}, "exclude each other"),
    ],
)
def test_model_package_refusals(cloud: Cloud, container: dict[str, str], words: str) -> None:
    request = {"ModelName": unique(), "ExecutionRoleArn": cloud.connection.role_arn, "PrimaryContainer": container}
    assert words in error_of(cloud.sagemaker.create_model, **request)[2]


def test_model_from_an_empty_package(cloud: Cloud, group: str) -> None:
    empty = cloud.sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    container = {"ModelPackageName": empty}
    request = {"ModelName": unique(), "ExecutionRoleArn": cloud.connection.role_arn, "PrimaryContainer": container}
    assert "no InferenceSpecification" in error_of(cloud.sagemaker.create_model, **request)[2]


def test_sdk(cloud: Cloud) -> None:
    """ModelPackage.create and .delete of SDK 3.27 want a name that a version has not, so they fail on AWS too."""
    pytest.importorskip("sagemaker.core.resources", reason="the SageMaker SDK v3 is not installed")
    from sagemaker.core.resources import ModelPackage, ModelPackageGroup

    group = ModelPackageGroup.create(model_package_group_name=unique("sdk-group"))
    package = ModelPackage.get(model_package_name=register(cloud, group.model_package_group_name))
    package.model_package_name = package.model_package_arn  # SDK 3.12 asks for it by name, which a version has not
    package.update(model_approval_status="Approved")
    assert package.model_approval_status == "Approved"
    listed = cloud.sagemaker.list_model_packages(ModelPackageGroupName=group.model_package_group_name)
    names = [found["ModelPackageArn"] for found in listed["ModelPackageSummaryList"]]
    assert names == [package.model_package_arn]
    cloud.sagemaker.delete_model_package(ModelPackageName=package.model_package_arn)
    group.delete()
