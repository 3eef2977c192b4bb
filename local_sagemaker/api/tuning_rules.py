"""The service's rules for a tuning job's request, beyond the shapes of its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.api.context import Request
from local_sagemaker.errors import AwsError, not_emulated, validation
from local_sagemaker.jobs.tuning.definitions import OBJECTIVE_HYPERPARAMETER, Definition, Objective, definitions
from local_sagemaker.jobs.tuning.space import Space, SpaceError
from local_sagemaker.jobs.tuning.stopping import hyperband_resources

MAX_JOBS = 750  # AWS's default quotas
_MAX_PARALLEL = 10
_MAX_RANGES = 30


def check(request: Request) -> None:
    """Raise AwsError for the first rule that the request breaks, as far as it alone can tell."""
    _check_shape(request)
    config = request["HyperParameterTuningJobConfig"]
    check_limits(config["ResourceLimits"])
    parts = definitions(request)
    if len({part.objective.type for part in parts}) > 1:
        raise not_emulated("A tuning job whose TrainingJobDefinitions have different objective types")
    for part in parts:
        _check_ranges(part, config)
        _check_strategy(part, config)


def check_objective(objective: Objective, asked: list[Mapping[str, str]], own: Mapping[str, str], image: str) -> None:
    """Raise ValidationException unless the objective is among the metrics asked for or the image's ``own``."""
    names = {definition["Name"] for definition in asked}
    if objective.metric in names or objective.metric in own:
        return
    if own and not names:
        raise validation(
            f"The objective metric for the hyperparameter tuning job, [{objective.metric}], isn't valid for the "
            f"[{image}] algorithm. Choose a valid objective metric: {', '.join(sorted(own))}."
        )
    raise validation(
        "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
        f"definitions: {objective.metric} is not among them."
    )


def check_limits(limits: Mapping[str, int], *, tried: int = 0) -> None:
    """Raise AwsError for numbers of jobs that contradict each other or AWS's quotas.

    ``tried`` is how many training jobs a warm start's parents had: they count too.
    """
    total, parallel = limits.get("MaxNumberOfTrainingJobs"), limits["MaxParallelTrainingJobs"]
    if total is not None and parallel > total:
        raise validation(
            f"MaxParallelTrainingJobs [{parallel}] must be less than or equal to MaxNumberOfTrainingJobs [{total}]."
        )
    asked = {
        "Number of training jobs per hyperparameter tuning job": ((total or 0) + tried, MAX_JOBS),
        "Number of parallel training jobs per hyperparameter tuning job": (parallel, _MAX_PARALLEL),
    }
    for quota, (count, most) in asked.items():
        if count > most:
            raise AwsError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{quota}' is {most} Instances, with current utilization of 0 "
                f"Instances and a request delta of {count} Instances.",
            )


def check_parents(request: Request, parents: Sequence[Mapping[str, Any]]) -> None:
    """Raise AwsError unless the job may start from the results of these tuning jobs."""
    config = request["HyperParameterTuningJobConfig"]
    (part,) = definitions(request)
    if config["Strategy"] in ("Grid", "Hyperband"):
        raise not_emulated(f"WarmStartConfig with the strategy {config['Strategy']}")
    identical = request["WarmStartConfig"]["WarmStartType"] == "IdenticalDataAndAlgorithm"
    for parent in parents:
        name = parent["HyperParameterTuningJobName"]
        if parent["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
            raise validation(f"The parent tuning job {name} must have ended, but it is in progress.")
        if "TrainingJobDefinitions" in parent:
            raise validation(f"The parent tuning job {name} tunes several algorithms. Warm start is for one.")
        (earlier,) = definitions(parent)
        if earlier.objective != part.objective:
            raise validation(
                f"The objective of the tuning job must be the same as that of its parent {name}: "
                f"{earlier.objective.type} {earlier.objective.metric}."
            )
        if _count(earlier) != _count(part):
            raise validation(
                f"The total number of static and tunable hyperparameters [{_count(part)}] must be the same as in the "
                f"parent tuning job {name} [{_count(earlier)}]."
            )
        if identical:
            _check_identical(part, earlier, name)


def _check_identical(part: Definition, earlier: Definition, name: str) -> None:
    images = [one.members["AlgorithmSpecification"].get("TrainingImage") for one in (part, earlier)]
    inputs = [one.members.get("InputDataConfig") for one in (part, earlier)]
    for member, (mine, theirs) in {"AlgorithmSpecification.TrainingImage": images, "InputDataConfig": inputs}.items():
        if mine != theirs:
            raise validation(
                f"TrainingJobDefinition.{member} must be the same as in the parent tuning job {name} for the "
                "WarmStartType IdenticalDataAndAlgorithm. Use TransferLearning otherwise."
            )


def _count(part: Definition) -> int:
    return len({*part.static, *Space(part.ranges).names} - {OBJECTIVE_HYPERPARAMETER})


def _check_shape(request: Request) -> None:
    """One definition, described by the configuration, or several that describe themselves."""
    config = request["HyperParameterTuningJobConfig"]
    single, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    if (single is None) == (several is None):
        raise validation("Exactly one of TrainingJobDefinition and TrainingJobDefinitions must be provided.")
    if single is not None:
        if "HyperParameterTuningJobObjective" not in config:
            raise validation("HyperParameterTuningJobConfig.HyperParameterTuningJobObjective is required.")
        for member in ("TuningObjective", "HyperParameterRanges"):
            if member in single:
                raise validation(f"{member} is only for TrainingJobDefinitions.")
        return
    for member in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        if any((config.get(member) or {}).values()):
            raise validation(
                f"{member} must not be provided in HyperParameterTuningJobConfig with several definitions."
            )
    if request.get("WarmStartConfig") or config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise validation("Warm start and early stopping are available only for tuning jobs with one algorithm.")
    for member in ("DefinitionName", "TuningObjective", "HyperParameterRanges"):
        if any(member not in part for part in several or []):
            raise validation(f"Every one of the TrainingJobDefinitions needs a {member}.")
    names = [part["DefinitionName"] for part in several or []]
    if len(set(names)) < len(names):
        raise validation("The DefinitionName of each of the TrainingJobDefinitions must be unique.")


def _check_ranges(part: Definition, config: Mapping[str, Any]) -> None:
    try:
        space = Space(part.ranges)
    except SpaceError as error:
        raise validation(str(error)) from error
    if not space.names:
        raise validation("At least one hyperparameter range is required: ParameterRanges has none.")
    if len(space.names) > _MAX_RANGES:
        raise AwsError("ResourceLimitExceeded", f"At most {_MAX_RANGES} hyperparameters can be tuned.")
    both = sorted(set(space.names) & set(part.static))
    if both:
        raise validation(
            f"The hyperparameters {both} are both static and tunable. Remove them from StaticHyperParameters or from "
            "the parameter ranges."
        )
    total = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if total is not None and space.combinations is not None and space.combinations < total:
        raise validation(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{space.combinations}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{total}]. Provide additional ranges."
        )


def _check_strategy(part: Definition, config: Mapping[str, Any]) -> None:
    strategy, total = config["Strategy"], config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        _check_grid(part, total)
    elif total is None and "MaxRuntimeInSeconds" not in config["ResourceLimits"]:
        raise validation(
            f"The strategy {strategy} needs ResourceLimits.MaxNumberOfTrainingJobs or MaxRuntimeInSeconds."
        )
    if strategy == "Hyperband":
        if config.get("TrainingJobEarlyStoppingType") == "Auto":
            raise validation("TrainingJobEarlyStoppingType must be Off for the strategy Hyperband.")
        try:
            hyperband_resources(config.get("StrategyConfig", {}), part.static)
        except ValueError as error:
            raise validation(str(error)) from error
    elif config.get("StrategyConfig", {}).get("HyperbandStrategyConfig"):
        raise validation(f"HyperbandStrategyConfig is only for the strategy Hyperband, not {strategy}.")


def _check_grid(part: Definition, total: int | None) -> None:
    space = Space(part.ranges)
    others = [parameter.name for parameter in space.parameters if parameter not in space.categories]
    if others:
        raise validation(f"The strategy Grid takes categorical ranges only. These are not: {others}.")
    if total is not None and total != space.combinations:
        raise validation(
            f"For the strategy Grid, MaxNumberOfTrainingJobs [{total}] must match the number of distinct combinations "
            f"of categorical values [{space.combinations}], or be left out."
        )
    if (space.combinations or 0) > MAX_JOBS:
        raise AwsError("ResourceLimitExceeded", f"A grid may have at most {MAX_JOBS} combinations.")
