"""The parts of a running tuning job: its definitions, each with its search, and its training jobs."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_sagemaker.jobs.tuning import children, search, stopping
from local_sagemaker.jobs.tuning.definitions import Definition, definitions
from local_sagemaker.jobs.tuning.search import Trial
from local_sagemaker.jobs.tuning.space import Space
from local_sagemaker.store import Record, Store


class Arm:
    """One definition with its search and the trials that the search learns from."""

    def __init__(self, number: int, definition: Definition, config: Record, warm: list[Trial]) -> None:
        self.number, self.definition = number, definition
        self.search = search.make(config["Strategy"], Space(definition.ranges), config.get("RandomSeed"))
        self.stopping = stopping.make(config, definition.static)
        self.warm = warm


@dataclass
class Child:
    """A training job of this run. ``losses`` grows as the job logs its objective."""

    name: str
    arm: Arm
    values: dict[str, str]
    losses: list[float] = field(default_factory=list)
    judged: int = 0
    record: Record | None = None  # once it has ended

    def watch(self, values: list[tuple[str, float, float]]) -> None:
        """Note (metric, value, seconds) of the objective."""
        objective = self.arm.definition.objective
        self.losses += [objective.loss(value) for name, value, _ in values if name == objective.metric]

    @property
    def trial(self) -> Trial:
        objective = self.arm.definition.objective
        if self.record is None or children.objective_status(self.record, objective) != "Succeeded":
            return Trial(self.values)
        value = children.final_value(self.record, objective)
        return Trial(self.values, None if value is None else objective.loss(value))


def warm_trials(store: Store, job: Record, definition: Definition) -> list[Trial]:
    """The results of a warm start's parents. Those on other data or algorithms are of another kind, so keep a name."""
    identical = job.get("WarmStartConfig", {}).get("WarmStartType") == "IdenticalDataAndAlgorithm"
    trials = []
    for parent in children.parents(store, job):
        static, name = definitions(parent)[0].static, parent[f"{children.KIND}Name"]
        for summary in children.summaries(store, parent):
            if (value := children.loss(summary)) is not None:
                values = {**static, **summary["TunedHyperParameters"]}
                tuned = {key: values[key] for key in Space(definition.ranges).names if key in values}
                trials.append(Trial(tuned, value, None if identical else name))
    return trials
