"""One step while it runs: what it starts, looks after, tries again, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines import cache, retries
from local_sagemaker.pipelines.conditions import holds
from local_sagemaker.pipelines.definition import Step
from local_sagemaker.pipelines.kinds import CONDITION, FAIL, Kind
from local_sagemaker.pipelines.names import job_name
from local_sagemaker.pipelines.problems import Problem
from local_sagemaker.pipelines.references import resolve
from local_sagemaker.pipelines.scope import ExecutionScope
from local_sagemaker.store import Record

_MAX_REASON = 1024
SUCCEEDED, FAILED, STOPPED = "Succeeded", "Failed", "Stopped"
ENDED = (SUCCEEDED, FAILED, STOPPED)


class Executor(Protocol):
    """What a step may ask of the execution that runs it."""

    context: Context
    operations: Operations
    execution: Record
    scope: ExecutionScope

    def save(self, record: Record) -> None:
        """Store a step's record."""

    def executions(self) -> list[Record]:
        """Every execution of the same pipeline, this one too."""


class StepRun:
    """A step that runs. ``record`` is what ListPipelineExecutionSteps tells about it."""

    def __init__(self, step: Step, executor: Executor) -> None:
        self.step, self._executor = step, executor
        described = {"StepDisplayName": step.display_name, "StepDescription": step.description}
        self.record: Record = {
            "StepName": step.name,
            **{member: text for member, text in described.items() if text is not None},
            "StartTime": now_seconds(),
            "StepStatus": "Starting",
            "AttemptCount": 1,
        }
        self._change()

    @property
    def ended(self) -> bool:
        return self.record["StepStatus"] in ENDED

    def advance(self) -> None:
        """Do what can be done now, without waiting."""
        try:
            self._advance()
        except Problem as problem:
            self._end(FAILED, FailureReason=f"ClientError: {problem}"[:_MAX_REASON])

    def stop(self) -> None:
        """The execution is to stop: stop what the step started."""
        self._end(STOPPED)

    def abandon(self) -> None:
        """The execution cannot go on: stop what the step started, and note nothing."""

    def _advance(self) -> None:
        raise NotImplementedError

    def _change(self, **members: Any) -> None:
        self.record = {**self.record, **members}
        self._executor.save(self.record)

    def _end(self, status: str, **members: Any) -> None:
        self._change(StepStatus=status, EndTime=now_seconds(), **members)


class ConditionRun(StepRun):
    """A Condition step: all its conditions together decide between its branches."""

    def _advance(self) -> None:
        outcome = all(holds(condition, self._executor.scope) for condition in self.step.arguments["Conditions"])
        self._end(SUCCEEDED, Metadata={CONDITION: {"Outcome": str(outcome)}})


class FailRun(StepRun):
    """A Fail step."""

    def _advance(self) -> None:
        message = str(resolve(self.step.arguments["ErrorMessage"], self._executor.scope))
        self._end(FAILED, Metadata={FAIL: {"ErrorMessage": message}}, FailureReason=message[:_MAX_REASON])


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
            self._change(StepStatus="Stopping")
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
        kind, executor = self._kind, self._executor
        given = resolve(self.step.arguments.get(kind.name), executor.scope)
        name = job_name(kind, executor.execution["PipelineExecutionName"], self.step.name, given)
        request = resolve(self.step.arguments, executor.scope.of_job(kind.name, name))
        if self._take_from_cache(request):
            return
        if not request.get("ModelPackageGroupName"):
            request[kind.name] = name
        if kind.role is not None:
            request.setdefault(kind.role, executor.execution["RoleArn"])
        try:
            answer = executor.operations.call(kind.create, request)
        except AwsError as error:
            reason = f"ClientError: Failed to invoke sagemaker:{kind.create}. Error Details: {error.message}"
            self._fail(reason, retries.kind_of_error(error))
            return
        self._job = name if kind.is_job or kind.name in request else answer[kind.arn]
        self._change(StepStatus="Executing", Metadata=self._metadata(answer[kind.arn]), _job=self._job)
        if not kind.has_status:
            self._end(SUCCEEDED)

    def _take_from_cache(self, request: Record) -> bool:
        """End the step with an earlier result, if it has caching on and there is one."""
        members, config = self._kind.cached, self.step.cache
        if members is None or not config.enabled or self.record["AttemptCount"] > 1:
            return False
        key = cache.cache_key(self.step.name, self.step.type, request, members)
        hit = cache.find_hit(self._executor.executions(), key, now_seconds() - config.expire_after)
        if hit is None or not self._exists(hit[1]["_job"]):
            self._change(_key=key)
            return False
        source = {"SourcePipelineExecutionArn": hit[0]}
        self._end(SUCCEEDED, CacheHitResult=source, Metadata=hit[1]["Metadata"], _job=hit[1]["_job"])
        return True

    def _exists(self, job: str) -> bool:
        try:
            self._executor.operations.call(self._kind.describe, {self._kind.name: job})
        except AwsError:
            return False
        return True

    def _metadata(self, arn: str) -> Record:
        return {self._kind.metadata: {"Arn": arn}}

    def _look(self) -> None:
        kind = self._kind
        try:
            answer = self._executor.operations.call(kind.describe, {kind.name: self._job})
        except AwsError as error:
            self._end(FAILED, FailureReason=f"ClientError: {kind.stem} {self._job}: {error.message}"[:_MAX_REASON])
            return
        status = answer[kind.status]
        if status == "Completed":
            self._end(SUCCEEDED)
        elif status == "Stopped" and self._stopping:
            self._end(STOPPED)
        elif status in ("Failed", "Stopped"):
            reason = answer.get("FailureReason") or f"ClientError: {kind.stem} {self._job} was stopped."
            self._fail(reason, retries.kind_of_failure(reason))

    def _fail(self, reason: str, exception: str | None) -> None:
        """Try again if a policy says so; else the step has failed."""
        policy = next((policy for policy in self.step.retries if exception in policy.exceptions), None)
        done = self._retries.get(policy, 0) if policy else 0
        delay = policy.delay(done, time.monotonic() - self._started) if policy else None
        if policy is None or delay is None or self._stopping:
            self._end(FAILED, FailureReason=reason[:_MAX_REASON])
            return
        self._retries[policy], self._job = done + 1, ""
        self._not_before = time.monotonic() + delay
        self._change(StepStatus="Starting", AttemptCount=self.record["AttemptCount"] + 1)

    def _call_stop(self) -> None:
        try:
            self._executor.operations.call(self._kind.stop, {self._kind.name: self._job})
        except AwsError:
            return  # it has ended by itself, which the next look sees


def run_of(step: Step, executor: Executor) -> StepRun:
    """The run of a step, by its type."""
    if step.kind is not None:
        return StartingRun(step, step.kind, executor)
    runs: dict[str, Callable[[Step, Executor], StepRun]] = {CONDITION: ConditionRun, FAIL: FailRun}
    return runs[step.type](step, executor)
