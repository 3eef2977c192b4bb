"""Training jobs: one thread each, from Starting to its end."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.jobs.run import TrainingRun, Verdict
from local_sagemaker.store import Record

KIND = "TrainingJob"
_INTERRUPTED = "InternalServerError: The local SageMaker was stopped or ended while the job ran. Please try again."
_DEFAULT_GRACE = 120.0  # AWS gives a training container so many seconds between SIGTERM and SIGKILL

log = logging.getLogger(__name__)


def transition(record: Record, status: str, message: str) -> dict[str, Any]:
    """The members of a job's record that change when it enters a secondary status."""
    now = now_seconds()
    history = [dict(entry) for entry in record.get("SecondaryStatusTransitions", [])]
    if history:
        history[-1].setdefault("EndTime", now)
    history.append({"Status": status, "StartTime": now, "StatusMessage": message})
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": history, "LastModifiedTime": now}


class TrainingJobs:
    """The training jobs of this server."""

    def __init__(self, context: Context) -> None:
        self._context, self._store = context, context.store
        self._stops: dict[str, threading.Event] = {}
        self._closing = False
        self._grace = float(os.environ.get("LOCAL_SAGEMAKER_STOP_SECONDS", _DEFAULT_GRACE))

    def recover(self) -> None:
        """After a restart: jobs that ran in the earlier server have failed."""
        for record in self._store.all(KIND):
            if record["TrainingJobStatus"] in ("InProgress", "Stopping"):
                self._finish(record["TrainingJobName"], Verdict("Failed", "Failed", _INTERRUPTED))

    def close(self) -> None:
        """The server ends: jobs that still run stop, and will have failed for that reason."""
        self._closing = True
        for event in list(self._stops.values()):
            event.set()

    def join(self, timeout: float) -> None:
        """Wait until the stopped jobs have written how they ended."""
        until = time.monotonic() + timeout
        while self._stops and time.monotonic() < until:
            time.sleep(0.02)

    def start(self, name: str) -> None:
        """Run the job ``name``, whose record is in the store, in a thread of its own."""
        self._stops[name] = threading.Event()
        threading.Thread(target=self._run, args=(name,), name=f"job {name}", daemon=True).start()

    def stop(self, name: str) -> None:
        """Ask a running job to stop; its status is Stopping until it has. Nothing happens to an ended one."""

        def stopping(record: Record) -> Record | None:
            if record["TrainingJobStatus"] != "InProgress":
                return None
            return {"TrainingJobStatus": "Stopping", **transition(record, "Stopping", "Stopping the training job")}

        self._store.change(KIND, name, stopping)
        if (event := self._stops.get(name)) is not None:
            event.set()

    def enter(self, name: str, status: str, message: str, **members: Any) -> None:
        """Put the job into a secondary status, unless it is stopping."""

        def entering(record: Record) -> Record | None:
            running = record["TrainingJobStatus"] == "InProgress"
            return {**transition(record, status, message), **members} if running else members or None

        self._store.change(KIND, name, entering)

    def _run(self, name: str) -> None:
        try:
            record = self._store.get(KIND, name)
            assert record is not None
            verdict = TrainingRun(self._context, record, self.enter, self._stops[name], self._grace).run()
        except Exception as error:
            log.exception("training job %s", name)
            verdict = Verdict("Failed", "Failed", f"InternalServerError: {error}")
        self._finish(name, Verdict("Failed", "Failed", _INTERRUPTED) if self._closing else verdict)
        self._stops.pop(name, None)

    def _finish(self, name: str, verdict: Verdict) -> None:
        self._store.change(KIND, name, lambda record: _ending(record, verdict))


def _ending(record: Record, verdict: Verdict) -> Record:
    """The members that change when a job ends."""
    message = verdict.reason or f"Training job {verdict.status.lower()}"
    members = transition(record, verdict.secondary, message)
    now = members["LastModifiedTime"]
    members["SecondaryStatusTransitions"][-1]["EndTime"] = now
    members |= {"TrainingJobStatus": verdict.status, "TrainingEndTime": now}
    if (started := record.get("TrainingStartTime")) is not None:
        seconds = max(1, round(now - started))
        members |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    if verdict.reason:
        members["FailureReason"] = verdict.reason[:1024]
    if verdict.metrics:
        members["FinalMetricDataList"] = verdict.metrics
    return members
