"""What references mean in one execution: its parameters, itself, and the answers about what its steps started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.api.operations import Operations
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines.definition import Definition
from local_sagemaker.pipelines.kinds import CONDITION, KINDS
from local_sagemaker.pipelines.problems import Problem
from local_sagemaker.pipelines.references import Reference, follow
from local_sagemaker.store import Record

_MOST_JOBS = 50  # pipelines keep so many of a tuning job's jobs


class ExecutionScope:
    """The values of one execution; ``own`` holds the names of the job that a step is about to start."""

    def __init__(
        self,
        context: Context,
        operations: Operations,
        definition: Definition,
        execution: Record,
        steps: Mapping[str, Record],
        own: Mapping[str, str] | None = None,
    ) -> None:
        self._context, self._operations, self._definition = context, operations, definition
        self._execution, self._steps, self._own = execution, steps, own or {}

    def of_job(self, member: str, name: str) -> ExecutionScope:
        """This scope for a step that starts the job ``name``, which its request calls ``member``."""
        return ExecutionScope(
            self._context, self._operations, self._definition, self._execution, self._steps, {member: name}
        )

    def get(self, reference: Reference) -> Any:
        if reference.root == "Parameters":
            return self._execution["_parameters"][reference.name]
        if reference.root == "Execution":
            return self._variable(reference)
        try:
            return follow(self._properties(reference.name), reference.path)
        except Problem as problem:
            raise Problem(f"'{reference.text}' cannot be had: {problem}") from problem

    def read_json(self, source: Reference | str) -> Any:
        uri = self._property_file(source) if isinstance(source, Reference) else source
        try:
            return json.loads(self._context.objects.get(uri).path.read_bytes())
        except (ObjectError, OSError) as error:
            raise Problem(f"The file {uri} cannot be read: {error}.") from error
        except ValueError as error:
            raise Problem(f"The file {uri} is not JSON: {error}.") from error

    def _variable(self, reference: Reference) -> str:
        execution = self._execution
        values = {
            "StartDateTime": _iso(execution["CreationTime"]),
            "CurrentDateTime": _iso(now_seconds()),
            "PipelineName": execution["_pipeline"],
            "PipelineArn": execution["PipelineArn"],
            "PipelineExecutionId": execution["PipelineExecutionName"],
            "PipelineExecutionArn": execution["PipelineExecutionArn"],
            **self._own,
        }
        if reference.name not in values:
            raise Problem(f"'{reference.text}' has no value in this step.")
        return values[reference.name]

    def _properties(self, name: str) -> Any:
        """A step's properties: what Describe answers about the thing it started."""
        step, kind = self._steps[name], KINDS.get(self._definition.steps[name].type)
        if kind is None:
            return step["Metadata"][CONDITION]
        request = {kind.name: step["_job"]}
        try:
            answers = [self._operations.call(kind.describe, request)]
            if kind.more:
                answers.append(self._operations.call(kind.more, {**request, **_best_first(answers[0])}))
        except AwsError as error:
            raise Problem(f"{kind.stem} {step['_job']}: {error.message}") from error
        return {member: value for answer in reversed(answers) for member, value in answer.items()}

    def _property_file(self, reference: Reference) -> str:
        """The URI of a property file, in the output of the processing job that made it."""
        file = self._definition.steps[reference.name].property_files[str(reference.path[1])]
        outputs = follow(self._properties(reference.name), ("ProcessingOutputConfig", "Outputs"))
        folder = next(output["S3Output"]["S3Uri"] for output in outputs if output["OutputName"] == file.output)
        return f"{folder.rstrip('/')}/{file.path}"


def _best_first(tuning: Record) -> dict[str, Any]:
    """How to list the jobs of a tuning job so that the best is the first, as pipelines give them."""
    definitions = [tuning["HyperParameterTuningJobConfig"], *tuning.get("TrainingJobDefinitions", [])]
    objectives = [d.get("HyperParameterTuningJobObjective") or d.get("TuningObjective") for d in definitions]
    minimized = any(objective["Type"] == "Minimize" for objective in objectives if objective)
    order = "Ascending" if minimized else "Descending"
    return {"SortBy": "FinalObjectiveMetricValue", "SortOrder": order, "MaxResults": _MOST_JOBS}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
