"""Executions of pipelines: Start, Describe, List, their steps and parameters, Stop, Retry, Update."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, now_seconds
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.operations import Operations
from local_sagemaker.api.pipelines import KIND as PIPELINE
from local_sagemaker.api.pipelines import by_creation, find
from local_sagemaker.errors import conflict, validation
from local_sagemaker.pipelines.engine import KIND, PipelineExecutions
from local_sagemaker.pipelines.new_execution import find_execution, new_execution
from local_sagemaker.pipelines.parameters import shown
from local_sagemaker.store import Record

_SUMMARY = (
    "PipelineExecutionArn", "StartTime", "PipelineExecutionStatus", "PipelineExecutionDescription",
    "PipelineExecutionDisplayName", "PipelineExecutionFailureReason",
)  # fmt: skip
_STEP = (
    "StepName", "StepDisplayName", "StepDescription", "StartTime", "EndTime", "StepStatus", "CacheHitResult",
    "FailureReason", "Metadata", "AttemptCount", "SelectiveExecutionResult",
)  # fmt: skip
_ALL_STEPS = 100
EMULATED: Mapping[str, Emulated] = {
    "StartPipelineExecution": {
        "PipelineName": ANY, "PipelineExecutionDisplayName": ANY, "PipelineParameters": ANY,
        "PipelineExecutionDescription": ANY, "ClientRequestToken": ANY, "ParallelismConfiguration": ANY,
        "SelectiveExecutionConfig": ANY, "RoleArn": ANY,
    },
    "ListPipelineExecutions": {
        "PipelineName": ANY, "CreatedAfter": ANY, "CreatedBefore": ANY, "SortBy": ANY, "SortOrder": ANY,
        "NextToken": ANY, "MaxResults": ANY,
    },
}  # fmt: skip


class Executions:
    """The operations on executions."""

    emulated = EMULATED

    def __init__(self, context: Context, operations: Operations, engine: PipelineExecutions) -> None:
        self._context, self._store = context, context.store
        self._operations, self._engine = operations, engine
        self._starting = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        return {
            "StartPipelineExecution": self.start,
            "DescribePipelineExecution": self.describe,
            "DescribePipelineDefinitionForExecution": self.definition,
            "ListPipelineExecutions": self.list_,
            "ListPipelineExecutionSteps": self.steps,
            "ListPipelineParametersForExecution": self.parameters,
            "StopPipelineExecution": self.stop,
            "RetryPipelineExecution": self.retry,
            "UpdatePipelineExecution": self.update,
        }

    def start(self, request: Request) -> dict[str, Any]:
        with self._starting:
            return self._start(find(self._store, request["PipelineName"]), request)

    def _start(self, pipeline: Record, request: Request) -> dict[str, Any]:
        """Start an execution, unless an earlier request with the same token has."""
        asked = {name: value for name, value in request.items() if name not in ("ClientRequestToken", "PipelineName")}
        if (earlier := self._by_token(pipeline, request["ClientRequestToken"])) is not None:
            if earlier["_asked"] != asked:
                raise conflict("The ClientRequestToken was used for another StartPipelineExecution request.")
            return {"PipelineExecutionArn": earlier["PipelineExecutionArn"]}
        if "RoleArn" in request:
            self._context.check_role(request["RoleArn"])
        record = new_execution(self._context, self._operations, pipeline, request)
        name = record["PipelineExecutionName"]
        self._store.add(KIND, name, {**record, "_asked": asked})
        self._store.update(PIPELINE, pipeline["PipelineName"], LastRunTime=record["CreationTime"])
        self._engine.start(name)
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def describe(self, request: Request) -> Record:
        return {name: value for name, value in self._find(request).items() if value is not None}

    def definition(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        return {"PipelineDefinition": record["_definition"], "CreationTime": record["CreationTime"]}

    def list_(self, request: Request) -> dict[str, Any]:
        pipeline = find(self._store, request["PipelineName"])
        records = [
            {**record, "StartTime": record["CreationTime"], **_failure(record)}
            for record in self._engine.of_pipeline(pipeline["PipelineName"])
        ]
        asked = {**by_creation(request), "SortBy": _order(request)}
        return listing.page(records, asked, answer="PipelineExecutionSummaries", members=_SUMMARY)

    def steps(self, request: Request) -> dict[str, Any]:
        if "PipelineExecutionArn" not in request:
            raise validation("PipelineExecutionArn is required.")
        steps = self._find(request)["_steps"].values()
        records = [{**step, "CreationTime": number} for number, step in enumerate(steps)]
        asked = {"MaxResults": _ALL_STEPS, **request}
        return listing.page(records, asked, answer="PipelineExecutionSteps", members=_STEP)

    def parameters(self, request: Request) -> dict[str, Any]:
        values = self._find(request)["_parameters"]
        records = [
            {"Name": name, "Value": shown(value), "CreationTime": number}
            for number, (name, value) in enumerate(values.items())
        ]
        asked = {"MaxResults": _ALL_STEPS, **request}
        return listing.page(records, asked, answer="PipelineParameters", members=("Name", "Value"), ascending=True)

    def stop(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if not self._engine.running(record):
            raise conflict(f"Pipeline execution {_status(record)}, so it cannot be stopped.")
        self._engine.stop(record["PipelineExecutionName"])
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def retry(self, request: Request) -> dict[str, Any]:
        """Run again what failed or was stopped, and what did not run for that."""
        record, token = self._find(request), request["ClientRequestToken"]
        answer = {"PipelineExecutionArn": record["PipelineExecutionArn"]}
        if record.get("_retry") == token:
            return answer
        if record["PipelineExecutionStatus"] not in ("Failed", "Stopped"):
            raise conflict(f"Pipeline execution {_status(record)}; only one that failed or was stopped can be retried.")
        succeeded = {name: step for name, step in record["_steps"].items() if step["StepStatus"] == "Succeeded"}
        parallelism = {name: value for name, value in request.items() if name == "ParallelismConfiguration"}
        self._engine.retry(record["PipelineExecutionName"], _steps=succeeded, _retry=token, **parallelism)
        return answer

    def update(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        names = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
        changes = {name: request[name] for name in names if name in request}
        self._store.update(KIND, record["PipelineExecutionName"], LastModifiedTime=now_seconds(), **changes)
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def _by_token(self, pipeline: Record, token: str) -> Record | None:
        executions = self._engine.of_pipeline(pipeline["PipelineName"])
        return next((record for record in executions if record["_token"] == token), None)

    def _find(self, request: Request) -> Record:
        return find_execution(self._store, request["PipelineExecutionArn"])


def _order(request: Request) -> str:
    return "Name" if request.get("SortBy") == "PipelineExecutionArn" else "CreationTime"


def _failure(record: Record) -> dict[str, Any]:
    reason = record.get("FailureReason")
    return {} if reason is None else {"PipelineExecutionFailureReason": reason}


def _status(record: Record) -> str:
    return f"{record['PipelineExecutionArn']} is in status {record['PipelineExecutionStatus']}"
