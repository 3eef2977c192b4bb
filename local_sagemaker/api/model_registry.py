"""The model registry: model package groups and their versions, and model packages without a group."""

from __future__ import annotations

import threading
from typing import Any

from local_sagemaker.api.collection import Collection, changed_map
from local_sagemaker.api.context import Context, Operation, Request
from local_sagemaker.api.model_package_members import EMULATED
from local_sagemaker.api.uris import check_s3_uri
from local_sagemaker.errors import AwsError, not_emulated, validation
from local_sagemaker.store import Record

_REPLACED = (
    "ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri", "ModelCard",
    "ModelLifeCycle", "ModelPackageRegistrationType",
)  # fmt: skip
_SUMMARY = (
    "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageDescription", "CreationTime",
    "ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle", "ModelPackageRegistrationType",
)  # fmt: skip
_BATCH = ("ModelPackageArn", "InferenceSpecification")
_GROUP_SUMMARY = ("ModelPackageGroupDescription", "CreationTime", "ModelPackageGroupStatus")


def _missing(arn: str) -> AwsError:
    kind = "ModelPackageGroup" if ":model-package-group/" in arn else "ModelPackage"
    return validation(f"{kind} {arn} does not exist.")


class ModelRegistry:
    """The operations on model packages and their groups."""

    emulated = EMULATED

    def __init__(self, context: Context) -> None:
        self._context = context
        self._groups = Collection(context, "ModelPackageGroup", "model-package-group", _missing)
        self._packages = Collection(context, "ModelPackage", "model-package", _missing)
        self._lock = threading.Lock()  # a group is not deleted while it gets a version

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateModelPackageGroup": self.create_group,
            "DescribeModelPackageGroup": lambda request: self._groups.find(request["ModelPackageGroupName"]),
            "ListModelPackageGroups": self.list_groups,
            "DeleteModelPackageGroup": self.delete_group,
            "CreateModelPackage": self.create,
            "DescribeModelPackage": lambda request: self._packages.find(request["ModelPackageName"]),
            "ListModelPackages": self.list_,
            "BatchDescribeModelPackage": self.describe_batch,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
        }

    def create_group(self, request: Request) -> dict[str, Any]:
        name = request["ModelPackageGroupName"]
        return self._groups.create(request, name, ModelPackageGroupStatus="Completed", CreatedBy={}, _versions=0)

    def list_groups(self, request: Request) -> dict[str, Any]:
        return self._groups.page(
            self._groups.all(), request, "ModelPackageGroupSummaryList", _GROUP_SUMMARY, ascending=True
        )

    def delete_group(self, request: Request) -> dict[str, Any]:
        with self._lock:
            group = self._groups.find(request["ModelPackageGroupName"])
            if versions := len(self._versions(group)):
                arn = group["ModelPackageGroupArn"]
                raise AwsError("ConflictException", f"{arn} still contains {versions} model packages.")
            self._groups.delete(group["ModelPackageGroupName"])
        return {}

    def create(self, request: Request) -> dict[str, Any]:
        named, grouped = "ModelPackageName" in request, "ModelPackageGroupName" in request
        if named and grouped:
            raise validation(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if not named and not grouped:
            raise validation("Missing ARN. Either ModelPackageName or ModelPackageGroupName is required.")
        for specification in _specifications(request):
            self._check_specification(specification)
        return self._create_version(request) if grouped else self._create_unversioned(request)

    def _create_version(self, request: Request) -> dict[str, Any]:
        if request.get("Tags"):
            raise validation("Tags are not allowed for a model package in a group: tag the model package group.")
        with self._lock:
            group = self._groups.find(request["ModelPackageGroupName"])
            if earlier := self._by_token(group, request):
                return earlier
            name, version = group["ModelPackageGroupName"], group["_versions"] + 1
            self._groups.change(name, lambda _: {"_versions": version})
            own = {
                "ModelPackageGroupName": name,
                "ModelPackageVersion": version,
                "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
            }
            return self._add({**request, **own}, f"{name}.{version}", f"{name}/{version}")

    def _by_token(self, group: Record, request: Request) -> Record | None:
        """The version that an earlier request with the same ClientToken created."""
        token = request.get("ClientToken")
        return next((v for v in self._versions(group) if token and v.get("_token") == token), None)

    def _create_unversioned(self, request: Request) -> dict[str, Any]:
        if "ModelApprovalStatus" in request:
            raise validation("ModelApprovalStatus is only for a model package in a model package group.")
        specification = request.get("InferenceSpecification")
        if specification is None:
            raise validation("InferenceSpecification is required for a model package without a group.")
        for member in ("SupportedTransformInstanceTypes", "SupportedRealtimeInferenceInstanceTypes"):
            if not specification.get(member):
                raise validation(f"{member} is required for a model package without a group.")
        name = request["ModelPackageName"]
        return self._add(request, name, name)

    def _add(self, request: Request, key: str, suffix: str) -> Record:
        kept = {name: value for name, value in request.items() if name != "ClientToken"}
        status = {"ModelPackageStatus": "Completed", "ModelPackageStatusDetails": {"ValidationStatuses": []}}
        token = {"_token": request["ClientToken"]} if "ClientToken" in request else {}
        return self._packages.create(kept, key, suffix=suffix, **status, **token)

    def list_(self, request: Request) -> dict[str, Any]:
        group, kind = request.get("ModelPackageGroupName"), request.get("ModelPackageType", "Unversioned")
        if group is not None:
            records = self._versions(self._groups.find(group))
        else:
            records = [r for r in self._packages.all() if kind in ("Both", _type(r))]
        approval = request.get("ModelApprovalStatus")
        kept = [r for r in records if approval is None or r.get("ModelApprovalStatus") == approval]
        named = [{"ModelPackageName": r.get("ModelPackageGroupName"), **r} for r in kept]  # a version has no name
        answer = self._packages.page(named, request, "ModelPackageSummaryList", _SUMMARY, ascending=True)
        for summary in answer["ModelPackageSummaryList"]:
            if "ModelPackageVersion" in summary:
                del summary["ModelPackageName"]
        return answer

    def describe_batch(self, request: Request) -> dict[str, Any]:
        summaries, errors = {}, {}
        for arn in request["ModelPackageArnList"]:
            try:
                record = self._packages.find(arn)
                summaries[arn] = {name: record[name] for name in (*_BATCH, *_SUMMARY) if name in record}
            except AwsError as error:
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        return {"ModelPackageSummaries": summaries, "BatchDescribeModelPackageErrorMap": errors}

    def update(self, request: Request) -> dict[str, Any]:
        record = self._packages.find(request["ModelPackageArn"])
        if "ModelApprovalStatus" in request and "ModelPackageVersion" not in record:
            raise validation("ModelApprovalStatus is only for a model package in a model package group.")
        added = request.get("AdditionalInferenceSpecificationsToAdd", [])
        for specification in [*added, request.get("InferenceSpecification", {})]:
            self._check_specification(specification)

        def changes(present: Record) -> Record:
            members = {name: request[name] for name in _REPLACED if name in request}
            members |= changed_map(request, present, "CustomerMetadataProperties")
            if added:
                whole = [*present.get("AdditionalInferenceSpecifications", []), *added]
                members["AdditionalInferenceSpecifications"] = whole
            return members

        return self._packages.change(request["ModelPackageArn"], changes)

    def delete(self, request: Request) -> dict[str, Any]:
        self._packages.delete(request["ModelPackageName"])
        return {}

    def definition(self, container: Request) -> dict[str, Any]:
        """A model's container as the model package that it names defines it, or as it stands.

        Raises ValidationException for an unknown package and for one that has no container.
        """
        if "ModelPackageName" not in container:
            return container
        if clash := [name for name in ("Image", "ModelDataUrl", "ModelDataSource") if name in container]:
            raise validation(f"{clash[0]} and ModelPackageName of a container exclude each other.")
        package = self._packages.find(container["ModelPackageName"])
        containers = package.get("InferenceSpecification", {}).get("Containers", [])
        if not containers:
            raise validation(f"The model package {package['ModelPackageArn']} has no InferenceSpecification.")
        own = {name: containers[0][name] for name in ("Image", "ModelDataUrl") if name in containers[0]}
        environment = {**containers[0].get("Environment", {}), **container.get("Environment", {})}
        return {**own, "Environment": environment}

    def _versions(self, group: Record) -> list[Record]:
        return [r for r in self._packages.all() if r.get("ModelPackageGroupName") == group["ModelPackageGroupName"]]

    def _check_specification(self, specification: Request) -> None:
        for number, container in enumerate(specification.get("Containers", []), 1):
            where = f"InferenceSpecification.Containers.{number}"
            self._context.image(container.get("Image"), f"{where}.Image")
            if "ModelDataUrl" in container:
                check_s3_uri(container["ModelDataUrl"], f"{where}.ModelDataUrl")
            if len(specification["Containers"]) > 1:
                raise not_emulated("A model package of several containers")


def _type(record: Record) -> str:
    return "Versioned" if "ModelPackageVersion" in record else "Unversioned"


def _specifications(request: Request) -> list[Request]:
    return [request.get("InferenceSpecification", {}), *request.get("AdditionalInferenceSpecifications", [])]
