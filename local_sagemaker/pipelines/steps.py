"""One step while it runs, and how it ends."""

from __future__ import annotations

from typing import Any, Protocol

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.api.operations import Operations
from local_sagemaker.pipelines.conditions import holds
from local_sagemaker.pipelines.definition import Step
from local_sagemaker.pipelines.kinds import CONDITION, FAIL
from local_sagemaker.pipelines.problems import Problem
from local_sagemaker.pipelines.references import resolve
from local_sagemaker.pipelines.scope import ExecutionScope
from local_sagemaker.store import Record

MAX_REASON = 1024
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
        self.step, self.executor = step, executor
        described = {"StepDisplayName": step.display_name, "StepDescription": step.description}
        self.record: Record = {
            "StepName": step.name,
            **{member: text for member, text in described.items() if text is not None},
            "StartTime": now_seconds(),
            "StepStatus": "Starting",
            "AttemptCount": 1,
        }
        self.change()

    @property
    def ended(self) -> bool:
        return self.record["StepStatus"] in ENDED

    def advance(self) -> None:
        """Do what can be done now, without waiting."""
        try:
            self._advance()
        except Problem as problem:
            self.end(FAILED, FailureReason=f"ClientError: {problem}"[:MAX_REASON])

    def stop(self) -> None:
        """The execution is to stop: stop what the step started."""
        self.end(STOPPED)

    def abandon(self) -> None:
        """The execution cannot go on: stop what the step started, and note nothing."""

    def _advance(self) -> None:
        raise NotImplementedError

    def change(self, **members: Any) -> None:
        self.record = {**self.record, **members}
        self.executor.save(self.record)

    def end(self, status: str, **members: Any) -> None:
        self.change(StepStatus=status, EndTime=now_seconds(), **members)


class ConditionRun(StepRun):
    """A Condition step: all its conditions together decide between its branches."""

    def _advance(self) -> None:
        outcome = all(holds(condition, self.executor.scope) for condition in self.step.arguments["Conditions"])
        self.end(SUCCEEDED, Metadata={CONDITION: {"Outcome": str(outcome)}})


class FailRun(StepRun):
    """A Fail step."""

    def _advance(self) -> None:
        message = str(resolve(self.step.arguments["ErrorMessage"], self.executor.scope))
        self.end(FAILED, Metadata={FAIL: {"ErrorMessage": message}}, FailureReason=message[:MAX_REASON])
