"""What the training jobs of a tuning job came to: derived from their records, so always as true as those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local_sagemaker.api.context import now_seconds
from local_sagemaker.jobs.training import KIND as TRAINING
from local_sagemaker.jobs.tuning.definitions import Definition, Objective, definitions
from local_sagemaker.store import Record, Store

KIND = "HyperParameterTuningJob"
_COPIED = (
    "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime", "TrainingJobStatus",
    "FailureReason",
)  # fmt: skip
RUNNING = ("InProgress", "Stopping")
Summary = dict[str, Any]
"""AWS's HyperParameterTrainingJobSummary."""


def final_value(child: Record, objective: Objective) -> float | None:
    """The last value of the objective that an ended training job has logged."""
    if child["TrainingJobStatus"] in RUNNING:
        return None
    metrics = {metric["MetricName"]: metric["Value"] for metric in child.get("FinalMetricDataList", [])}
    return metrics.get(objective.metric)


def objective_status(child: Record, objective: Objective) -> str:
    """Pending, Succeeded or Failed: whether the objective of a training job could be evaluated."""
    if child["TrainingJobStatus"] in RUNNING:
        return "Pending"
    found = child["TrainingJobStatus"] != "Failed" and final_value(child, objective) is not None
    return "Succeeded" if found else "Failed"


def summaries(store: Store, job: Record) -> list[Summary]:
    """The training jobs of a tuning job, as they were started."""
    parts = definitions(job)
    found = [(entry, store.get(TRAINING, entry["TrainingJobName"])) for entry in job["_children"]]
    return [_summary(job, parts[entry["Definition"]], entry, child) for entry, child in found if child is not None]


def _summary(job: Record, definition: Definition, entry: Record, child: Record) -> Summary:
    objective = definition.objective
    summary = {name: child[name] for name in _COPIED if name in child}
    summary |= {
        "TuningJobName": job[f"{KIND}Name"],
        "TunedHyperParameters": entry["TunedHyperParameters"],
        "ObjectiveStatus": objective_status(child, objective),
    }
    if definition.name is not None:
        summary["TrainingJobDefinitionName"] = definition.name
    if (value := final_value(child, objective)) is not None:
        metric = {"Type": objective.type, "MetricName": objective.metric, "Value": value}
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = metric
    return summary


def loss(summary: Summary) -> float | None:
    """The objective such that less is better; None while or if it has not been evaluated."""
    if summary["ObjectiveStatus"] != "Succeeded":
        return None
    metric = summary["FinalHyperParameterTuningJobObjectiveMetric"]
    return Objective(metric["Type"], metric["MetricName"]).loss(metric["Value"])


def best(of: Sequence[Summary]) -> Summary | None:
    """The training job with the best objective; of equals the first."""
    evaluated = [(value, summary) for summary in of if (value := loss(summary)) is not None]
    return min(evaluated, key=lambda pair: pair[0])[1] if evaluated else None


def not_improving(of: Sequence[Summary]) -> int:
    """How many training jobs were evaluated since the best one."""
    ended = [summary for summary in of if summary["ObjectiveStatus"] == "Succeeded"]
    ended.sort(key=lambda summary: summary["TrainingEndTime"])
    top = best(ended)
    return 0 if top is None else len(ended) - 1 - ended.index(top)


def counters(of: Sequence[Summary]) -> dict[str, Any]:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    jobs = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    objectives = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
    for summary in of:
        jobs[_counter(summary)] += 1
        objectives[summary["ObjectiveStatus"]] += 1
    return {"TrainingJobStatusCounters": jobs, "ObjectiveStatusCounters": objectives}


def _counter(summary: Summary) -> str:
    status = str(summary["TrainingJobStatus"])
    if status == "Failed":
        retryable = summary.get("FailureReason", "").startswith("InternalServerError")
        return "RetryableError" if retryable else "NonRetryableError"
    return "InProgress" if status in RUNNING else status


def description(store: Store, job: Record) -> dict[str, Any]:
    """What a tuning job's Describe says of its training jobs."""
    own = summaries(store, job)
    seconds = job.get("HyperParameterTuningEndTime", now_seconds()) - job["CreationTime"]
    members: dict[str, Any] = {
        **counters(own),
        "ConsumedResources": {"RuntimeInSeconds": int(seconds)},
        "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(own)},
    }
    if (top := best(own)) is not None:
        members["BestTrainingJob"] = top
    warm = job.get("WarmStartConfig", {})
    if warm.get("WarmStartType") == "IdenticalDataAndAlgorithm":
        everything = own + [summary for parent in parents(store, job) for summary in summaries(store, parent)]
        if (top := best(everything)) is not None:
            members["OverallBestTrainingJob"] = top
    return members


def parents(store: Store, job: Record) -> list[Record]:
    """The tuning jobs of a warm start that are still there."""
    names = job.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    return [record for name in names if (record := store.get(KIND, name[f"{KIND}Name"])) is not None]
