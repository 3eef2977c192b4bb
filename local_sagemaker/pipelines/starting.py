"""A step that starts something: looks after it, tries again, or takes an earlier result instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from local_sagemaker.api.context import now_seconds
from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines import cache, retries
from local_sagemaker.pipelines.definition import Step
from local_sagemaker.pipelines.kinds import CONDITION, FAIL, Kind
from local_sagemaker.pipelines.names import job_name
from local_sagemaker.pipelines.references import resolve
from local_sagemaker.pipelines.steps import (
    FAILED,
    MAX_REASON,
    STOPPED,
    SUCCEEDED,
    ConditionRun,
    Executor,
    FailRun,
    StepRun,
)
from local_sagemaker.store import Record


class StartingRun(StepRun):
    """A step that starts a job, a model or a model package through SageMaker's own operations."""

    def __init__(self, step: Step, kind: Kind, executor: Executor) -> None:
        self._kind, self._job = kind, ""
        self._started = self._not_before = time.monotonic()
        self._stopping = False
        self._retries: dict[retries.RetryPolicy, int] = {}
        super().__init__(step, executor)

    def stop(self) -> None:
        if not self._job:
            super().stop()
        elif not self._stopping:
            self._stopping = True
            self.change(StepStatus="Stopping")
            self._call_stop()

    def abandon(self) -> None:
        if self._job:
            self._call_stop()

    def _advance(self) -> None:
        if self._job:
            self._look()
        elif time.monotonic() >= self._not_before:
            self._start()

    def _start(self) -> None:
        kind, executor = self._kind, self.executor
        prefix = resolve(self.step.arguments.get(kind.name), executor.scope)
        given = None if prefix is None else str(prefix)
        name = job_name(kind, executor.execution["PipelineExecutionName"], self.step.name, given)
        request = resolve(self.step.arguments, executor.scope.of_job(kind.name, name))
        if self._take_from_cache(request):
            return
        if not request.get("ModelPackageGroupName"):
            request[kind.name] = name
        self._complete(request)
        try:
            answer = executor.operations.call(kind.create, request)
        except AwsError as error:
            reason = f"ClientError: Failed to invoke sagemaker:{kind.create}. Error Details: {error.message}"
            self._fail(reason, retries.kind_of_error(error))
            return
        self._job = name if kind.is_job or kind.name in request else answer[kind.arn]
        self.change(StepStatus="Executing", Metadata=self._metadata(answer[kind.arn]), _job=self._job)
        if not kind.has_status:
            self.end(SUCCEEDED)

    def _complete(self, request: Record) -> None:
        """Add what a step's request takes from its execution."""
        execution = self.executor.execution
        if self._kind.role is not None:
            request.setdefault(self._kind.role, execution["RoleArn"])
        if self._kind.experiment and (config := execution.get("PipelineExperimentConfig")):
            request["ExperimentConfig"] = {**config, **request.get("ExperimentConfig", {})}

    def _take_from_cache(self, request: Record) -> bool:
        """End the step with an earlier result, if it has caching on and there is one."""
        members, config = self._kind.cached, self.step.cache
        if members is None or not config.enabled or self.record["AttemptCount"] > 1:
            return False
        key = cache.cache_key(self.step.name, self.step.type, request, members)
        hit = cache.find_hit(self.executor.executions(), key, now_seconds() - config.expire_after)
        if hit is None or not self._exists(hit[1]["_job"]):
            self.change(_key=key)
            return False
        source = {"SourcePipelineExecutionArn": hit[0]}
        self.end(SUCCEEDED, CacheHitResult=source, Metadata=hit[1]["Metadata"], _job=hit[1]["_job"])
        return True

    def _exists(self, job: str) -> bool:
        try:
            self.executor.operations.call(self._kind.describe, {self._kind.name: job})
        except AwsError:
            return False
        return True

    def _metadata(self, arn: str) -> Record:
        return {self._kind.metadata: {"Arn": arn}}

    def _look(self) -> None:
        kind = self._kind
        try:
            answer = self.executor.operations.call(kind.describe, {kind.name: self._job})
        except AwsError as error:
            self.end(FAILED, FailureReason=f"ClientError: {kind.stem} {self._job}: {error.message}"[:MAX_REASON])
            return
        status = answer[kind.status]
        if status == "Completed":
            self.end(SUCCEEDED)
        elif status == "Stopped" and self._stopping:
            self.end(STOPPED)
        elif status in ("Failed", "Stopped"):
            reason = answer.get("FailureReason") or f"ClientError: {kind.stem} {self._job} was stopped."
            self._fail(reason, retries.kind_of_failure(reason))

    def _fail(self, reason: str, exception: str | None) -> None:
        """Try again if a policy says so; else the step has failed."""
        policy = next((policy for policy in self.step.retries if exception in policy.exceptions), None)
        done = self._retries.get(policy, 0) if policy else 0
        delay = policy.delay(done, time.monotonic() - self._started) if policy else None
        if policy is None or delay is None or self._stopping:
            self.end(FAILED, FailureReason=reason[:MAX_REASON])
            return
        self._retries[policy], self._job = done + 1, ""
        self._not_before = time.monotonic() + delay
        self.change(StepStatus="Starting", AttemptCount=self.record["AttemptCount"] + 1)

    def _call_stop(self) -> None:
        with suppress(AwsError):  # it has ended by itself, which the next look sees
            self.executor.operations.call(self._kind.stop, {self._kind.name: self._job})


def run_of(step: Step, executor: Executor) -> StepRun:
    """The run of a step, by its type."""
    if step.kind is not None:
        return StartingRun(step, step.kind, executor)
    runs: dict[str, Callable[[Step, Executor], StepRun]] = {CONDITION: ConditionRun, FAIL: FailRun}
    return runs[step.type](step, executor)
