"""A tuning job's training job definitions: what they have in common whichever shape the request had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.jobs.tuning.space import Ranges

OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"  # by which AWS tells an algorithm what it is judged by
_COPIED = (
    "AlgorithmSpecification", "RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "StoppingCondition",
    "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "RetryStrategy",
    "Environment",
)  # fmt: skip


@dataclass(frozen=True)
class Objective:
    """What is to be made large or small."""

    type: str
    metric: str

    def loss(self, value: float) -> float:
        """The value such that less is better."""
        return value if self.type == "Minimize" else -value


class Definition:
    """One TrainingJobDefinition with its objective and ranges, which a single one has in the job's configuration."""

    def __init__(self, members: Mapping[str, Any], objective: Mapping[str, str], ranges: Ranges) -> None:
        self.members, self.ranges = members, ranges
        self.name: str | None = members.get("DefinitionName")
        self.objective = Objective(objective["Type"], objective["MetricName"])
        self.static: Mapping[str, str] = members.get("StaticHyperParameters", {})

    def request(self, job: str, values: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, Any]:
        """The CreateTrainingJob request of a training job that tries these hyperparameters."""
        members = self.members
        request = {name: members[name] for name in _COPIED if name in members}
        request |= {"TrainingJobName": job, "ResourceConfig": self._resources()}
        request["HyperParameters"] = {**self.static, **values}
        if checkpoints := members.get("CheckpointConfig"):
            # a folder for each job, lest they take up each other's checkpoints
            request["CheckpointConfig"] = {**checkpoints, "S3Uri": f"{checkpoints['S3Uri'].rstrip('/')}/{job}"}
        if tags:
            request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return request

    def _resources(self) -> dict[str, Any]:
        """ResourceConfig, or HyperParameterTuningResourceConfig in its form; the first choice of instances."""
        given = self.members.get("ResourceConfig") or self.members.get("HyperParameterTuningResourceConfig") or {}
        members = {**given, **next(iter(given.get("InstanceConfigs", [])), {})}
        return {name: value for name, value in members.items() if name not in ("InstanceConfigs", "AllocationStrategy")}


def definitions(job: Mapping[str, Any]) -> list[Definition]:
    """The definitions of a CreateHyperParameterTuningJob request or of a tuning job's record."""
    config = job["HyperParameterTuningJobConfig"]
    if (single := job.get("TrainingJobDefinition")) is not None:
        return [Definition(single, config["HyperParameterTuningJobObjective"], config.get("ParameterRanges", {}))]
    return [
        Definition(members, members["TuningObjective"], members["HyperParameterRanges"])
        for members in job["TrainingJobDefinitions"]
    ]
