"""What the tuning tests say often: a valid request, a tuning job from start to end."""

import copy
from typing import Any

from contract.cloud import Cloud, unique, until

ENDED = ("Completed", "Failed", "Stopped")


def ranges(**given: Any) -> dict[str, Any]:
    """ParameterRanges: a pair of floats is continuous, a pair of ints integer, a list categorical."""
    out: dict[str, Any] = {}
    for name, value in given.items():
        kind = "Categorical" if isinstance(value, list) else "Integer" if isinstance(value[0], int) else "Continuous"
        bounds = {"Values": value} if kind == "Categorical" else {"MinValue": str(value[0]), "MaxValue": str(value[1])}
        out.setdefault(f"{kind}ParameterRanges", []).append({"Name": name, **bounds})
    return out


def request(cloud: Cloud, *, static: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """A valid request for four jobs, two at a time; ``config`` replaces members of its configuration."""
    objective = {"Type": "Minimize", "MetricName": "loss"}
    job = cloud.job_request()
    return {
        "HyperParameterTuningJobName": unique("tuning"),
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": ranges(x=(0.0, 1.0)),
            "RandomSeed": 1,
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {name: str(value) for name, value in (static or {}).items()},
            "AlgorithmSpecification": {
                "TrainingImage": "registry/tuned",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": r"\bloss=([0-9.]+);"}],
            },
            **{name: job[name] for name in ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")},
        },
    }


def limits(total: int | None, parallel: int = 2, **more: int) -> dict[str, int]:
    return {**({"MaxNumberOfTrainingJobs": total} if total else {}), "MaxParallelTrainingJobs": parallel, **more}


def several(base: dict[str, Any], **changes: dict[str, Any]) -> dict[str, Any]:
    """The request with one of several definitions for each name; each changes the single one's members."""
    out = copy.deepcopy(base)
    config, single = out["HyperParameterTuningJobConfig"], out.pop("TrainingJobDefinition")
    objective, given = config.pop("HyperParameterTuningJobObjective"), config.pop("ParameterRanges")
    out["TrainingJobDefinitions"] = [
        {"DefinitionName": name, "TuningObjective": objective, "HyperParameterRanges": given, **single, **members}
        for name, members in changes.items()
    ]
    return out


def start(cloud: Cloud, made: dict[str, Any]) -> str:
    cloud.sagemaker.create_hyper_parameter_tuning_job(**made)
    return made["HyperParameterTuningJobName"]


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def wait(cloud: Cloud, name: str, timeout: float = 60) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job = describe(cloud, name)
        return job if job["HyperParameterTuningJobStatus"] in ENDED else None

    return until(ended, timeout)


def run(cloud: Cloud, made: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a tuning job to its end; its description and its training jobs' summaries."""
    job = wait(cloud, start(cloud, made))
    return job, children(cloud, job["HyperParameterTuningJobName"])


def children(cloud: Cloud, name: str, **options: Any) -> list[dict[str, Any]]:
    options = {"MaxResults": 100, **options}
    answer = cloud.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **options
    )
    return answer["TrainingJobSummaries"]


def values(summaries: list[dict[str, Any]]) -> list[float]:
    """The final objectives."""
    metric = "FinalHyperParameterTuningJobObjectiveMetric"
    return [summary[metric]["Value"] for summary in summaries if metric in summary]
