"""The executions of this server's pipelines, as jobs with a thread each."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError
from local_sagemaker.jobs.jobs import Jobs, Verdict
from local_sagemaker.pipelines.definition import parse
from local_sagemaker.pipelines.execution import ExecutionRun
from local_sagemaker.pipelines.steps import ENDED, FAILED
from local_sagemaker.store import Record

KIND = "PipelineExecution"
_MAX_REASON = 1300
_DEFAULT_PARALLEL = 50


class PipelineExecutions(Jobs):
    """Runs executions. A record's ``_steps`` holds by name what ListPipelineExecutionSteps tells of each step."""

    kind = KIND
    active = "Executing"

    def __init__(self, context: Context, operations: Operations) -> None:
        super().__init__(context)
        self.operations = operations

    @property
    def closing(self) -> bool:
        """Whether the server ends: what steps have started is stopped by whom it belongs to."""
        return self._closing

    def work(self, record: Record, stop: threading.Event) -> Verdict:
        return ExecutionRun(self, record, stop).run()

    def recover(self) -> None:
        """As of other jobs; what the steps of an interrupted execution had started is not taken up again either."""
        for record in self.store.all(KIND):
            if self.running(record):
                self._stop_steps(record)
        super().recover()

    def _stop_steps(self, record: Record) -> None:
        definition = parse(record["_definition"])
        for name, step in record["_steps"].items():
            kind = definition.steps[name].kind
            if step["StepStatus"] not in ENDED and "_job" in step and kind is not None and kind.is_job:
                with suppress(AwsError):  # it has ended by itself
                    self.operations.call(kind.stop, {kind.name: step["_job"]})

    def on_end(self, record: Record, verdict: Verdict) -> dict[str, Any]:
        now = now_seconds()
        reason = {"FailureReason": verdict.reason[:_MAX_REASON]} if verdict.reason else {}
        steps = {name: self._ended(step, verdict, now) for name, step in record["_steps"].items()}
        return {self.status: verdict.status, "LastModifiedTime": now, "_steps": steps, **reason}

    def retry(self, name: str, **changes: Any) -> None:
        """Run an execution that has ended again, with these changes to its record."""

        def resumed(record: Record) -> Record | None:
            return None if self.running(record) else {**changes, self.status: self.active, "FailureReason": None}

        if self.store.change(KIND, name, resumed) is not None:
            self.start(name)

    def save_step(self, name: str, step: Record) -> None:
        """Put a step's record into that of its execution."""

        def changed(record: Record) -> Record:
            return {"_steps": {**record["_steps"], step["StepName"]: step}, "LastModifiedTime": now_seconds()}

        self.store.change(KIND, name, changed)

    def parallelism(self, name: str) -> int:
        """How many steps of an execution may run at once; UpdatePipelineExecution may change it."""
        record = self.store.get(KIND, name) or {}
        return int(record.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", _DEFAULT_PARALLEL))

    def of_pipeline(self, pipeline: str) -> list[Record]:
        """Every execution of a pipeline."""
        return [record for record in self.store.all(KIND) if record["_pipeline"] == pipeline]

    def _ended(self, step: Record, verdict: Verdict, now: float) -> Record:
        """A step's record after its execution's end: one that still ran has failed for the same reason."""
        if step["StepStatus"] in ENDED:
            return step
        return {**step, "StepStatus": FAILED, "EndTime": now, "FailureReason": verdict.reason[:1024]}
