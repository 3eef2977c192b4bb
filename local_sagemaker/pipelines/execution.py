"""An execution of a pipeline: starts each step when what it needs is there, until nothing is left to do."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from local_sagemaker.jobs.jobs import Verdict
from local_sagemaker.pipelines.definition import Step, parse
from local_sagemaker.pipelines.experiments import open_experiment
from local_sagemaker.pipelines.kinds import CONDITION
from local_sagemaker.pipelines.scope import ExecutionScope
from local_sagemaker.pipelines.starting import run_of
from local_sagemaker.pipelines.steps import FAILED, STOPPED, SUCCEEDED, StepRun
from local_sagemaker.store import Record

if TYPE_CHECKING:
    from local_sagemaker.pipelines.engine import PipelineExecutions

_SHORTEST, _LONGEST = 0.02, 0.5  # seconds between two looks at the steps that run


class ExecutionRun:
    """The life of one execution, in its thread."""

    def __init__(self, engine: PipelineExecutions, execution: Record, stop: threading.Event) -> None:
        self.context, self.operations, self.execution = engine.context, engine.operations, execution
        self._engine, self._stop = engine, stop
        self._definition = parse(execution["_definition"])
        self._steps: dict[str, Record] = dict(execution["_steps"])
        self._running: list[StepRun] = []
        self.scope = ExecutionScope(self.context, self.operations, self._definition, execution, self._steps)
        selected = execution.get("SelectiveExecutionConfig", {}).get("SelectedSteps")
        self._selected = {item["StepName"] for item in selected} if selected else set(self._definition.steps)

    def run(self) -> Verdict:
        """Run the steps to the end of the last. Raises JobError when the experiment cannot be had."""
        open_experiment(self.operations, self.execution.get("PipelineExperimentConfig", {}))
        try:
            return self._run()
        except Exception:
            for run in self._running:
                run.abandon()
            raise

    def _run(self) -> Verdict:
        interval = _SHORTEST
        while not self._engine.closing:
            if self._advance():
                interval = _SHORTEST
            if not self._running:
                return self._verdict()
            if self._stop.is_set():
                time.sleep(_SHORTEST)
            else:
                self._stop.wait(interval)
            interval = min(interval * 1.5, _LONGEST)
        return Verdict(FAILED)

    def save(self, record: Record) -> None:
        """Store a step's record in the execution's."""
        self._steps[record["StepName"]] = record
        self._engine.save_step(self.execution["PipelineExecutionName"], record)

    def executions(self) -> list[Record]:
        return self._engine.of_pipeline(self.execution["_pipeline"])

    def _advance(self) -> bool:
        """Look at every step that runs and start those that can; whether a step has started or ended."""
        if self._stop.is_set():
            for run in self._running:
                run.stop()
        before = len(self._running)
        for run in self._running:
            if not run.ended:
                run.advance()
        self._running = [run for run in self._running if not run.ended]
        started = False
        while not self._stop.is_set() and not self._failed() and (step := self._next()) is not None:
            started = True
            run = run_of(step, self)
            run.advance()
            if not run.ended:
                self._running.append(run)
        return started or len(self._running) < before

    def _next(self) -> Step | None:
        """A step that can start now."""
        if len(self._running) >= self._engine.parallelism(self.execution["PipelineExecutionName"]):
            return None
        waiting = (s for s in self._definition.steps.values() if s.name in self._selected and s.name not in self._steps)
        return next(filter(self._ready, waiting), None)

    def _ready(self, step: Step) -> bool:
        if any(self._status(name) != SUCCEEDED for name in step.needs()):
            return False
        gate = step.gate
        return gate is None or self._steps[gate.condition]["Metadata"][CONDITION]["Outcome"] == gate.outcome

    def _status(self, name: str) -> Any:
        return self._steps.get(name, {}).get("StepStatus")

    def _failed(self) -> list[str]:
        return [name for name in self._steps if self._status(name) == FAILED]

    def _verdict(self) -> Verdict:
        if self._stop.is_set():
            return Verdict(STOPPED)
        if failed := self._failed():
            reasons = "; ".join(f"{name}: {self._steps[name]['FailureReason']}" for name in failed)
            return Verdict(FAILED, f"Step failure: One or multiple steps failed. {reasons}")
        return Verdict(SUCCEEDED)
