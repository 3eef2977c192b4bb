"""One tuning job: start training jobs, watch them, stop the hopeless, until there is nothing left to try."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from local_sagemaker.api.context import now_seconds
from local_sagemaker.errors import AwsError
from local_sagemaker.jobs.jobs import JobError, Verdict
from local_sagemaker.jobs.training import KIND as TRAINING
from local_sagemaker.jobs.tuning import children
from local_sagemaker.jobs.tuning.arms import Arm, Child, warm_trials
from local_sagemaker.jobs.tuning.definitions import definitions
from local_sagemaker.store import Record

if TYPE_CHECKING:
    from local_sagemaker.jobs.tuning.tuning import TuningJobs

_TICK = 0.05  # seconds between looks at the training jobs
_ATTEMPTS = 5  # training jobs without a result after which AWS gives up


class TuningRun:
    """The life of one tuning job."""

    def __init__(self, jobs: TuningJobs, job: Record, stop: threading.Event) -> None:
        self._jobs, self._job, self._stop = jobs, job, stop
        self._name: str = job[f"{children.KIND}Name"]
        config = job["HyperParameterTuningJobConfig"]
        self._limits, self._criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
        self._arms = [
            Arm(number, definition, config, warm_trials(jobs.store, job, definition))
            for number, definition in enumerate(definitions(job))
        ]
        self._children: list[Child] = []
        self._exhausted: set[int] = set()

    def run(self) -> Verdict:
        """Run to the end. Raises JobError when a training job cannot be created."""
        try:
            while not self._stop.is_set():
                self._collect()
                if (verdict := self._verdict()) is not None:
                    return verdict
                self._judge()
                self._launch()
                self._stop.wait(_TICK)
            return Verdict("Stopped")
        finally:
            self._end_children()

    def _running(self) -> list[Child]:
        return [child for child in self._children if child.record is None]

    def _collect(self) -> None:
        """Take note of the training jobs that have ended."""
        for child in self._running():
            record = self._jobs.store.get(TRAINING, child.name)
            if record is None or record["TrainingJobStatus"] not in children.RUNNING:
                child.record = record or {"TrainingJobStatus": "Failed"}
                self._jobs.training.observers.pop(child.name, None)

    def _verdict(self) -> Verdict | None:
        """How the tuning job ends, if it does now."""
        ended = [child for child in self._children if child.record is not None]
        hopeful = any(child.trial.loss is not None for child in ended)
        over = not self._running() and self._complete()
        if not hopeful and (len(ended) >= _ATTEMPTS or (over and ended)):
            return Verdict("Failed", _reason(ended))
        return Verdict("Completed") if over or self._satisfied() else None

    def _complete(self) -> bool:
        """Whether no more training jobs are to be started."""
        limit = self._limits.get("MaxNumberOfTrainingJobs", float("inf"))
        return len(self._children) >= limit or len(self._exhausted) == len(self._arms)

    def _satisfied(self) -> bool:
        """Whether the time is over or a completion criterion is met."""
        seconds = now_seconds() - self._job["CreationTime"]
        if seconds > self._limits.get("MaxRuntimeInSeconds", float("inf")):
            return True
        record = self._jobs.store.get(children.KIND, self._name)
        if not self._criteria or record is None:
            return False
        tried = children.summaries(self._jobs.store, record)
        patience = self._criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
        if patience is not None and children.not_improving(tried) >= patience:
            return True
        target, best = self._criteria.get("TargetObjectiveMetricValue"), children.best(tried)
        if target is None or best is None:
            return False
        return (children.loss(best) or 0.0) <= self._arms[0].definition.objective.loss(target)

    def _judge(self) -> None:
        """Stop the training jobs that early stopping gives up."""
        for child in self._running():
            ended = [c.losses for c in self._children if c.arm is child.arm and c.trial.loss is not None]
            while child.judged < len(child.losses):
                child.judged += 1
                if child.arm.stopping.hopeless(child.name, child.losses[: child.judged], ended):
                    self._jobs.training.stop(child.name)

    def _launch(self) -> None:
        """Start as many training jobs as may run."""
        while len(self._running()) < self._limits["MaxParallelTrainingJobs"] and not self._complete():
            arm = self._next_arm()
            mine = [child.trial for child in self._children if child.arm is arm]
            values = arm.search.suggest(arm.warm + mine)
            if values is None:
                self._exhausted.add(arm.number)
            else:
                self._start(arm, values)

    def _next_arm(self) -> Arm:
        """The definition with the fewest training jobs."""
        counts = {arm.number: 0 for arm in self._arms if arm.number not in self._exhausted}
        for child in self._children:
            if child.arm.number in counts:
                counts[child.arm.number] += 1
        return self._arms[min(counts, key=counts.__getitem__)]

    def _start(self, arm: Arm, values: dict[str, str]) -> None:
        name = f"{self._name}-{len(self._children) + 1:03d}-{secrets.token_hex(4)}"
        child = Child(name, arm, values)
        self._children.append(child)
        self._jobs.training.observers[name] = child.watch
        arm.stopping.started(name)
        self._jobs.adopt(
            self._name, {"TrainingJobName": name, "Definition": arm.number, "TunedHyperParameters": values}
        )
        record: dict[str, Any] = self._jobs.store.get(children.KIND, self._name) or self._job
        try:
            self._jobs.operations.call("CreateTrainingJob", arm.definition.request(name, values, record["_tags"]))
        except AwsError as error:
            raise JobError(f"ClientError: Training job {name} could not be created: {error.message}") from error
        self._jobs.mark(record, name)

    def _end_children(self) -> None:
        """Stop what still runs, and wait for it; again and again while the disk is too full to note it."""
        self._collect()
        while running := self._running():
            for child in running:
                with contextlib.suppress(OSError):
                    self._jobs.training.stop(child.name)
            time.sleep(_TICK)
            self._collect()


def _reason(ended: list[Child]) -> str:
    """Why a tuning job without any result failed, as AWS words it."""
    if any(child.record is not None and child.record["TrainingJobStatus"] != "Failed" for child in ended):
        return (
            f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom "
            "algorithm is emitting the objective metric as defined by the regular expression provided."
        )
    return (
        f"No training job succeeded after {len(ended)} attempts. Please take a look at the training job failures "
        "to get more details."
    )
