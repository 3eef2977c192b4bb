"""The experiment and the trial of an execution, which its PipelineExperimentConfig names."""

from __future__ import annotations

from collections.abc import Mapping

from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError
from local_sagemaker.jobs.jobs import JobError


def open_experiment(operations: Operations, config: Mapping[str, str]) -> None:
    """Create the experiment and the trial unless they are there. Raises JobError for names that cannot be."""
    experiment, trial = config.get("ExperimentName"), config.get("TrialName")
    if experiment is None:
        return
    try:
        _ensure(operations, "Experiment", {"ExperimentName": experiment})
        if trial is not None:
            _ensure(operations, "Trial", {"TrialName": trial, "ExperimentName": experiment})
    except AwsError as error:
        raise JobError(f"ClientError: PipelineExperimentConfig: {error.message}") from error


def _ensure(operations: Operations, kind: str, request: dict[str, str]) -> None:
    name = f"{kind}Name"
    try:
        operations.call(f"Describe{kind}", {name: request[name]})
    except AwsError as error:
        if error.code != "ResourceNotFound":
            raise
        operations.call(f"Create{kind}", request)
