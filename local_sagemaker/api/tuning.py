"""Hyperparameter tuning jobs: Create, Describe, List, Stop, Delete, and the list of their training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing, model
from local_sagemaker.api import tuning_rules as rules
from local_sagemaker.api.context import Context, Operation, Request, new_record
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.operations import Operations
from local_sagemaker.api.training import Training
from local_sagemaker.errors import in_use, not_found, validation
from local_sagemaker.jobs.tuning import children
from local_sagemaker.jobs.tuning.children import KIND
from local_sagemaker.jobs.tuning.definitions import OBJECTIVE_HYPERPARAMETER, Definition, definitions
from local_sagemaker.jobs.tuning.space import Space
from local_sagemaker.jobs.tuning.tuning import TuningJobs
from local_sagemaker.store import Record

_NAME, _ARN, _STATUS = f"{KIND}Name", f"{KIND}Arn", f"{KIND}Status"
_RANGES = dict.fromkeys(("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges"), ANY)
_DEFINITION = {
    "DefinitionName": ANY, "TuningObjective": ANY, "HyperParameterRanges": _RANGES, "StaticHyperParameters": ANY,
    "HyperParameterTuningResourceConfig": ANY, "CheckpointConfig": ANY,
    # what follows is the training job's, which is checked as such
    "ResourceConfig": ANY, "AlgorithmSpecification": ANY, "RoleArn": ANY, "InputDataConfig": ANY, "VpcConfig": ANY,
    "OutputDataConfig": ANY, "StoppingCondition": ANY, "EnableNetworkIsolation": ANY,
    "EnableInterContainerTrafficEncryption": ANY, "EnableManagedSpotTraining": ANY, "RetryStrategy": ANY,
    "Environment": ANY,
}  # fmt: skip
EMULATED: Mapping[str, Emulated] = {
    "CreateHyperParameterTuningJob": {
        _NAME: ANY,
        "HyperParameterTuningJobConfig": {
            "Strategy": ANY,
            "StrategyConfig": ANY,
            "HyperParameterTuningJobObjective": ANY,
            "ResourceLimits": ANY,
            "ParameterRanges": _RANGES,
            "TrainingJobEarlyStoppingType": ANY,
            "TuningJobCompletionCriteria": {
                "TargetObjectiveMetricValue": ANY,
                "BestObjectiveNotImproving": ANY,
                "ConvergenceDetected": {"CompleteOnConvergence": {"Disabled"}},
            },
            "RandomSeed": ANY,
        },
        "TrainingJobDefinition": _DEFINITION,
        "TrainingJobDefinitions": _DEFINITION,
        "WarmStartConfig": ANY,
        "Tags": ANY,
    }
}
_SUMMARY = (
    _NAME, _ARN, _STATUS, "Strategy", "CreationTime", "HyperParameterTuningEndTime", "LastModifiedTime",
    "TrainingJobStatusCounters", "ObjectiveStatusCounters", "ResourceLimits",
)  # fmt: skip
_CHILD_SUMMARY = (
    "TrainingJobName", "TrainingJobDefinitionName", "TrainingJobArn", "TuningJobName", "CreationTime",
    "TrainingStartTime", "TrainingEndTime", "TrainingJobStatus", "TunedHyperParameters", "FailureReason",
    "FinalHyperParameterTuningJobObjectiveMetric", "ObjectiveStatus",
)  # fmt: skip
_BY_OBJECTIVE = "FinalObjectiveMetricValue"


class Tuning:
    """The operations on hyperparameter tuning jobs."""

    emulated = EMULATED

    def __init__(self, context: Context, operations: Operations, training: Training, jobs: TuningJobs) -> None:
        self._context, self._store, self._jobs = context, context.store, jobs
        self._operations, self._training = operations, training

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": self.describe,
            "ListHyperParameterTuningJobs": self.list_,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_children,
            "StopHyperParameterTuningJob": self.stop,
            "DeleteHyperParameterTuningJob": self.delete,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name = request[_NAME]
        rules.check(request)
        complete = _with_defaults(request)
        for definition in definitions(complete):
            self._check_child(name, definition)
        if "WarmStartConfig" in request:
            self._check_parents(request)
        arn = self._context.arn("hyper-parameter-tuning-job", name)
        members = {_ARN: arn, _STATUS: "InProgress", "_children": []}
        if not self._store.add(KIND, name, new_record(complete, arn, **members)):
            raise in_use(f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.")
        self._jobs.start(name)
        return {_ARN: arn}

    def describe(self, request: Request) -> Record:
        record = self._find(request)
        return {**record, **children.description(self._store, record)}

    def list_(self, request: Request) -> dict[str, Any]:
        answer = "HyperParameterTuningJobSummaries"
        page = listing.page(self._store.all(KIND), request, answer=answer, members=_SUMMARY, status=_STATUS)
        return {**page, answer: [self._summary(summary) for summary in page[answer]]}

    def list_children(self, request: Request) -> dict[str, Any]:
        records = children.summaries(self._store, self._find(request))
        if request.get("SortBy") == _BY_OBJECTIVE:
            metric = "FinalHyperParameterTuningJobObjectiveMetric"
            records = [{**record, _BY_OBJECTIVE: record[metric]["Value"]} for record in records if metric in record]
        return listing.page(
            records,
            {"SortBy": "Name", **request},
            answer="TrainingJobSummaries",
            members=_CHILD_SUMMARY,
            status="TrainingJobStatus",
            ascending=True,
        )

    def stop(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if not self._jobs.running(record):
            raise validation(f"The request was rejected because the tuning job is in status {record[_STATUS]}.")
        self._jobs.stop(record[_NAME])
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if self._jobs.running(record):
            raise in_use(f"The tuning job is in status {record[_STATUS]} and cannot be deleted. Stop it first.")
        self._store.delete(KIND, record[_NAME])
        return {}

    def _find(self, request: Request) -> Record:
        record = self._store.get(KIND, request[_NAME])
        if record is None:
            raise not_found(f"Amazon SageMaker can't find a tuning job with the name {request[_NAME]}.")
        return record

    def _summary(self, summary: dict[str, Any]) -> dict[str, Any]:
        """The summary with what is not a member of the record itself."""
        record = self._store.get(KIND, summary[_NAME])
        if record is None:  # deleted while the page was made
            return summary
        config = record["HyperParameterTuningJobConfig"]
        counters = children.counters(children.summaries(self._store, record))
        return {**summary, **counters, "Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}

    def _check_child(self, name: str, definition: Definition) -> None:
        """Raise AwsError unless the tuning job's training jobs can be created."""
        middle = Space(definition.ranges)
        values = middle.decode([0.5] * sum(middle.widths))
        request = definition.request(f"{name}-001-00000000", values, {})
        operation = model.operation("CreateTrainingJob")
        assert operation is not None
        model.check(operation.input_shape, request)
        self._operations.check_emulated("CreateTrainingJob", request)
        self._training.check(request)
        specification = request["AlgorithmSpecification"]
        image = self._context.image(specification["TrainingImage"], "TrainingImage")
        metrics = specification.get("MetricDefinitions", [])
        rules.check_objective(definition.objective, metrics, image.metrics, specification["TrainingImage"])

    def _check_parents(self, request: Request) -> None:
        names = [parent.get(_NAME, "") for parent in request["WarmStartConfig"]["ParentHyperParameterTuningJobs"]]
        if len(set(names)) < len(names):
            raise validation("The parent tuning jobs of a warm start must be different from each other.")
        parents = [self._find({_NAME: name}) for name in names]
        rules.check_parents(request, parents)
        tried = sum(len(parent["_children"]) for parent in parents)
        rules.check_limits(request["HyperParameterTuningJobConfig"]["ResourceLimits"], tried=tried)


def _with_defaults(request: Request) -> Request:
    """The request with what AWS adds to it, as Describe shows it."""
    config = {"TrainingJobEarlyStoppingType": "Off", **request["HyperParameterTuningJobConfig"]}
    told = [
        {**part.members, "StaticHyperParameters": {**part.static, OBJECTIVE_HYPERPARAMETER: part.objective.metric}}
        for part in definitions(request)
    ]
    single = "TrainingJobDefinition" in request
    parts = {"TrainingJobDefinition": told[0]} if single else {"TrainingJobDefinitions": told}
    return {**request, "HyperParameterTuningJobConfig": config, **parts}
