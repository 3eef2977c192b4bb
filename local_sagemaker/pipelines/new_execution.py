"""The record of an execution that is about to start: its parameters, its experiment, what it takes from another."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.context import Context, Request, new_record
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import not_found, validation
from local_sagemaker.pipelines.definition import Definition, parse
from local_sagemaker.pipelines.engine import KIND
from local_sagemaker.pipelines.names import execution_id
from local_sagemaker.pipelines.parameters import parameter_values
from local_sagemaker.pipelines.problems import Problem
from local_sagemaker.pipelines.references import resolve
from local_sagemaker.pipelines.scope import ExecutionScope
from local_sagemaker.pipelines.selection import check_selection, earlier_results
from local_sagemaker.store import Record, Store

_INHERITED = ("ParallelismConfiguration", "RoleArn")
_KEPT = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "SelectiveExecutionConfig")


def new_execution(context: Context, operations: Operations, pipeline: Record, request: Request) -> Record:
    """The record for a StartPipelineExecution request. Raises ValidationException."""
    definition = parse(pipeline["PipelineDefinition"])
    name, identity = pipeline["PipelineName"], execution_id()
    arn = context.arn("pipeline", f"{name}/execution/{identity}")
    given = {member: request[member] for member in (*_INHERITED, *_KEPT) if member in request}
    inherited = {member: pipeline[member] for member in _INHERITED if member in pipeline}
    record = new_record(
        {**inherited, **given},
        arn,
        PipelineArn=pipeline["PipelineArn"],
        PipelineExecutionArn=arn,
        PipelineExecutionName=identity,
        PipelineExecutionStatus="Executing",
        _pipeline=name,
        _definition=pipeline["PipelineDefinition"],
        _parameters=parameter_values(definition.parameters, request.get("PipelineParameters", [])),
        _steps=_given_steps(context.store, name, request, definition),
        _token=request["ClientRequestToken"],
    )
    scope = ExecutionScope(context, operations, definition, record, {})
    try:
        experiment = resolve(dict(definition.experiment), scope)
    except Problem as problem:
        raise validation(f"PipelineExperimentConfig: {problem}") from problem
    return {**record, **({"PipelineExperimentConfig": experiment} if experiment else {})}


def find_execution(store: Store, arn: str) -> Record:
    """An execution by ARN. Raises ResourceNotFound."""
    record = store.get(KIND, arn.rpartition("/")[2])
    if record is None or record["PipelineExecutionArn"] != arn:
        raise not_found(f"Pipeline execution '{arn}' does not exist.")
    return record


def _given_steps(store: Store, pipeline: str, request: Request, definition: Definition) -> dict[str, Any]:
    """The results that a selective execution takes from an earlier one."""
    config = request.get("SelectiveExecutionConfig")
    if config is None:
        return {}
    selected = {item["StepName"] for item in config["SelectedSteps"]}
    check_selection(definition, selected)
    arn = config.get("SourcePipelineExecutionArn")
    source = None if arn is None else find_execution(store, arn)
    if source is not None and source["_pipeline"] != pipeline:
        raise validation(f"Invalid SourcePipelineExecutionArn: {arn}. It is no execution of this pipeline.")
    return earlier_results(definition, selected, source)
