"""Executes one lab through papermill and says how it ended."""

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError

from lab_utils.runner import outputs
from lab_utils.runner.guard import Guard, Stopped
from lab_utils.runner.kernel import ATOMIC, ENGINE, LabClient
from lab_utils.runner.notebook import Lab, Step, step_of
from lab_utils.runner.results import Failure, State

logging.getLogger("papermill").setLevel(logging.ERROR)


@dataclass
class Execution:
    """One lab on its way; `state` and `failure` are set by `run`.

    Attributes:
        lab: the notebook to run.
        values: parameters to inject.
        guard: stops the lab on time-out or Ctrl-C.
        on_step: called whenever a step begins.
    """

    lab: Lab
    values: dict[str, Any]
    guard: Guard
    on_step: Callable[[Step], None]
    state: State = State.PASSED
    failure: Failure | None = None
    client: LabClient | None = field(default=None, init=False)
    cell: Any = field(default_factory=dict, init=False)
    step: Step | None = field(default=None, init=False)

    def run(self, target: Path) -> None:
        """Execute the lab in its own folder and write the executed notebook to `target`."""
        log = target.with_suffix(".kernel.log")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log.open("wb") as kernel_log:
                self._execute(target, kernel_log)
        finally:
            self.guard.release()
        text = log.read_text(encoding="utf-8", errors="replace").strip()
        if self.state is State.PASSED or not text:
            log.unlink()
        if self.state is not State.PASSED:
            self.failure = self._explain(text)

    def _execute(self, target: Path, kernel_log: Any) -> None:
        try:
            executed = papermill.execute_notebook(
                nbformat.from_dict(self.lab.notebook),
                # papermill takes braces in a path for its own placeholders
                ATOMIC + str(target.resolve()).replace("{", "{{").replace("}", "}}"),
                self.values,
                engine_name=ENGINE,
                kernel_name="python3",
                language="python",
                cwd=self.lab.path.resolve().parent,
                progress_bar=False,
                open_client=self._open,
                kernel_log=kernel_log,
            )
            self.state = State.PASSED if outputs.did_work(executed) else State.EMPTY
        except papermill.PapermillExecutionError:
            self.state = State.FAILED
        except Stopped:
            self.state = self.guard.state or State.INTERRUPTED
        except (DeadKernelError, RuntimeError):  # RuntimeError: it died before it answered
            self.state = self.guard.state or State.DIED

    def _open(self, manager: Any, **traits: Any) -> LabClient:
        self.client = LabClient(manager, self.guard, self._on_cell, **traits)
        self.guard.watch(self.client)
        return self.client

    def _on_cell(self, index: int) -> None:
        assert self.client
        self.cell = self.client.nb.cells[index]
        step = step_of(self.cell)
        if step:
            self.step = step
            self.on_step(step)

    def _explain(self, log: str) -> Failure:
        if self.state is State.EMPTY:
            return Failure(None, "", "", "no cell did any work")
        line, detail = outputs.error_of(self.cell)
        reasons = {
            State.FAILED: line or "the cell failed",
            State.TIMEOUT: f"no end after {self.guard.minutes}",
            State.DIED: f"the kernel died{self._how()}",
        }
        return Failure(
            cell=self.cell.get("execution_count") or (self.client and self.client.code_cells_executed),
            cell_id=self.cell.get("id", ""),
            step=f"step {self.step.number} {self.step.title}" if self.step else "",
            reason=reasons.get(self.state, "interrupted"),
            detail=detail or log,
        )

    def _how(self) -> str:
        code = self.client.exit_code if self.client else None
        if code is None:
            return ""
        if code >= 0:
            return f" (exit code {code})"
        hint = ": out of memory?" if code == -signal.SIGKILL else ""
        return f" ({signal.Signals(-code).name}{hint})"
