"""Pipelines: Create, Update, Delete, Describe, List."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, new_record, now_seconds
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.operations import Operations
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.errors import conflict, not_found, validation
from local_sagemaker.pipelines.checks import check
from local_sagemaker.pipelines.definition import parse
from local_sagemaker.pipelines.engine import KIND as EXECUTION
from local_sagemaker.store import Record, Store

KIND = "Pipeline"
_SUMMARY = (
    "PipelineName", "PipelineArn", "PipelineDisplayName", "PipelineDescription", "RoleArn", "CreationTime",
    "LastModifiedTime", "LastExecutionTime",
)  # fmt: skip
_DEFINITION = {
    "PipelineName": ANY,
    "PipelineDisplayName": ANY,
    "PipelineDefinition": ANY,
    "PipelineDefinitionS3Location": {"Bucket": ANY, "ObjectKey": ANY},
    "PipelineDescription": ANY,
    "RoleArn": ANY,
    "ParallelismConfiguration": ANY,
}
EMULATED: Mapping[str, Emulated] = {
    "CreatePipeline": {**_DEFINITION, "ClientRequestToken": ANY, "Tags": ANY},
    "UpdatePipeline": _DEFINITION,
    "DescribePipeline": {"PipelineName": ANY},
    "ListPipelines": {
        "PipelineNamePrefix": ANY, "CreatedAfter": ANY, "CreatedBefore": ANY, "SortBy": ANY, "SortOrder": ANY,
        "NextToken": ANY, "MaxResults": ANY,
    },
}  # fmt: skip


class Pipelines:
    """The operations on pipelines."""

    emulated = EMULATED

    def __init__(self, context: Context, operations: Operations) -> None:
        self._context, self._store, self._operations = context, context.store, operations

    def operations(self) -> dict[str, Operation]:
        return {
            "CreatePipeline": self.create,
            "UpdatePipeline": self.update,
            "DeletePipeline": self.delete,
            "DescribePipeline": lambda request: find(self._store, request["PipelineName"]),
            "ListPipelines": self.list_,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name, token = request["PipelineName"], request["ClientRequestToken"]
        self._context.check_role(request["RoleArn"])
        arn = self._context.arn("pipeline", name)
        definition = self._definition(request)
        if definition is None:
            raise validation("Either PipelineDefinition or PipelineDefinitionS3Location must be given.")
        members = {"PipelineArn": arn, "PipelineStatus": "Active", "PipelineDefinition": definition, "_token": token}
        record = new_record(request, arn, **members)
        if not self._store.add(KIND, name, record) and find(self._store, name)["_token"] != token:
            raise validation(
                "Pipeline names must be unique within an AWS account and region. Pipeline with name "
                f"({name}) already exists."
            )
        return {"PipelineArn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        record = find(self._store, request["PipelineName"])
        if "RoleArn" in request:
            self._context.check_role(request["RoleArn"])
        definition = self._definition(request)
        changes = {name: request[name] for name in _DEFINITION if name in request} | {"LastModifiedTime": now_seconds()}
        if definition is not None:
            changes["PipelineDefinition"] = definition
        self._store.update(KIND, record["PipelineName"], **changes)
        return {"PipelineArn": record["PipelineArn"]}

    def delete(self, request: Request) -> dict[str, Any]:
        record = find(self._store, request["PipelineName"])
        name = record["PipelineName"]
        executions = [item for item in self._store.all(EXECUTION) if item["_pipeline"] == name]
        if any(item["PipelineExecutionStatus"] in ("Executing", "Stopping") for item in executions):
            raise conflict(f"Pipeline {record['PipelineArn']} has executions that run; stop them before deleting it.")
        for item in executions:
            self._store.delete(EXECUTION, item["PipelineExecutionName"])
        self._store.delete(KIND, name)
        return {"PipelineArn": record["PipelineArn"]}

    def list_(self, request: Request) -> dict[str, Any]:
        prefix = request.get("PipelineNamePrefix", "")
        records = [
            {**record, **({"LastExecutionTime": record["LastRunTime"]} if "LastRunTime" in record else {})}
            for record in self._store.all(KIND)
            if record["PipelineName"].startswith(prefix)
        ]
        return listing.page(records, by_creation(request), answer="PipelineSummaries", members=_SUMMARY)

    def _definition(self, request: Request) -> str | None:
        """The definition that a request gives, checked; None when it gives none. Raises ValidationException."""
        location = request.get("PipelineDefinitionS3Location")
        if location is not None and "PipelineDefinition" in request:
            raise validation("Give PipelineDefinition or PipelineDefinitionS3Location, not both.")
        text = request.get("PipelineDefinition") if location is None else self._fetch(location)
        if text is not None:
            check(parse(text), self._operations)
        return text

    def _fetch(self, location: Mapping[str, str]) -> str:
        uri = f"s3://{location['Bucket']}/{location['ObjectKey']}"
        try:
            return self._context.objects.get(uri).path.read_text(encoding="utf-8")
        except (ObjectError, OSError, UnicodeDecodeError) as error:
            raise validation(f"PipelineDefinitionS3Location: {uri} cannot be read: {error}") from error


def find(store: Store, name_or_arn: str) -> Record:
    """A pipeline by name or ARN. Raises ResourceNotFound."""
    record = store.get(KIND, name_or_arn.rpartition("/")[2])
    if record is None or (":" in name_or_arn and record["PipelineArn"] != name_or_arn):
        raise not_found(f"Pipeline '{name_or_arn}' does not exist.")
    return record


def by_creation(request: Request) -> Request:
    """A List request whose time filters are called as other operations call them."""
    names = {"CreatedAfter": "CreationTimeAfter", "CreatedBefore": "CreationTimeBefore"}
    return {names.get(name, name): value for name, value in request.items()}
