"""Runs the chosen labs in turn, skips what is done, keeps the results and writes the report."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from lab_utils.runner import outputs, report, results
from lab_utils.runner.guard import Guard
from lab_utils.runner.notebook import Lab, read
from lab_utils.runner.progress import ProgressLine
from lab_utils.runner.results import Result, State


@dataclass(frozen=True)
class Plan:
    """What to run, and how.

    Attributes:
        labs: the labs, in order.
        profile: `smoke`, `laptop` or `full`.
        backend: `local` or `aws`.
        parameters: further parameters by the lab's name.
        project: the checkout, whose code counts as an input of every lab.
        out: folder of the report, the executed notebooks and `results.json`.
        timeout: seconds a lab may take; None for no limit.
        fresh: run what has passed before, too.
        grace: seconds to clean up when a lab is stopped.
    """

    labs: list[Lab]
    profile: str
    backend: str
    project: Path
    out: Path
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    timeout: float | None = None
    fresh: bool = False
    grace: float = 30.0

    def values(self, lab: Lab) -> dict[str, Any]:
        """Everything that is injected into a lab."""
        return {"profile": self.profile, "backend": self.backend, **self.parameters.get(lab.name, {})}

    def notebook(self, lab: Lab) -> Path:
        return self.out / f"{lab.name}.ipynb"


def run(plan: Plan, stream: TextIO = sys.stdout) -> list[Result]:
    """Run the plan and return what came of each lab; an interrupted lab is the last one.

    The results are on disk after every lab, the report at the end, also after Ctrl-C.
    """
    store = plan.out / "results.json"
    kept = {} if plan.fresh else results.load(store)
    everything = dict(results.load(store))
    code = results.fingerprint(plan.project)
    done: list[Result] = []
    try:
        for lab in plan.labs:
            key = results.run_key(lab.digest, code, plan.values(lab))
            result = _cached(plan, lab, kept.get(lab.name), key, stream) or _run_lab(plan, lab, key, stream)
            done.append(result)
            everything[lab.name] = result
            results.save(store, everything.values())
            if result.state is State.INTERRUPTED:
                break
    finally:
        report.write(plan, done)
    return done


def _cached(plan: Plan, lab: Lab, last: Result | None, key: str, stream: TextIO) -> Result | None:
    if last is None or not last.passed or last.key != key or not plan.notebook(lab).is_file():
        return None
    with ProgressLine(lab.label, 0, stream) as line:
        line.finish(f"{last.state} (cached)")
    return replace(last, cached=True)


def _run_lab(plan: Plan, lab: Lab, key: str, stream: TextIO) -> Result:
    started, clock = datetime.now(UTC), time.monotonic()
    guard = Guard(plan.timeout, plan.grace)
    last_step = max((step.number for step in lab.steps.values()), default=0)
    with ProgressLine(lab.label, last_step, stream) as line, _stopping(guard):
        from lab_utils.runner import execute  # seconds to import, and not needed when all is cached

        execution = execute.Execution(lab, plan.values(lab), guard, line.step)
        execution.run(plan.notebook(lab))
        line.finish(execution.state, str(execution.failure or ""))
    return Result(
        lab=lab.name,
        state=execution.state,
        key=key,
        profile=plan.profile,
        backend=plan.backend,
        parameters=plan.parameters.get(lab.name, {}),
        seconds=time.monotonic() - clock,
        started=started.isoformat(timespec="seconds"),
        gates=_gates(plan.notebook(lab)),
        failure=execution.failure,
    )


def _gates(path: Path) -> list[Any]:
    return outputs.gates(read(path).notebook) if path.is_file() else []


@contextmanager
def _stopping(guard: Guard) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the lab through its guard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    for signum in before:
        signal.signal(signum, lambda *_: guard.stop(State.INTERRUPTED))
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
