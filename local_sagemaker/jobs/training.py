"""Training jobs: their secondary statuses, their attempts, what they are billed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.jobs.jobs import JobError, Jobs, Verdict
from local_sagemaker.jobs.limits import Limits
from local_sagemaker.jobs.run import TrainingRun
from local_sagemaker.store import Record

KIND = "TrainingJob"
_PAUSE = 1.0  # seconds before another attempt
_INTERNAL = "InternalServerError"
_WORDS = {"Completed": "Training job completed", "Failed": "Training job failed", "Stopped": "Training job stopped"}

MetricValue = tuple[str, float, float]
"""Name, value, epoch seconds."""
Observer = Callable[[list[MetricValue]], None]

log = logging.getLogger(__name__)


def transition(record: Record, status: str, message: str) -> dict[str, Any]:
    """The members of a job's record that change when it enters a secondary status."""
    now = now_seconds()
    history = [dict(entry) for entry in record.get("SecondaryStatusTransitions", [])]
    if history:
        history[-1].setdefault("EndTime", now)
    history.append({"Status": status, "StartTime": now, "StatusMessage": message})
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": history, "LastModifiedTime": now}


class TrainingJobs(Jobs):
    """The training jobs of this server."""

    kind = KIND

    def __init__(self, context: Context) -> None:
        """Raises ServerError when the environment sets limits that are none."""
        super().__init__(context)
        Limits.read(os.environ)
        self.observers: dict[str, Observer] = {}  # of running jobs, by their names

    def work(self, record: Record, stop: threading.Event) -> Verdict:
        """Run the job, again after an InternalServerError while its RetryStrategy allows it."""
        name = record["TrainingJobName"]
        while True:
            try:
                return TrainingRun(self, self.store.get(KIND, name) or record, stop).run()
            except Exception as error:
                if isinstance(error, JobError) and not str(error).startswith(_INTERNAL):
                    raise
                if stop.is_set() or not self._retry(name, str(error)):
                    raise
                log.exception("%s %s: another attempt", KIND, name)
            stop.wait(_PAUSE)

    def report(self, name: str, values: list[MetricValue]) -> None:
        """Tell the job's observer what it has logged."""
        if (observer := self.observers.get(name)) is not None:
            observer(values)

    def resume(self, record: Record) -> bool:
        """Run a job again whose RetryStrategy allows it; a tuning job's fails with its parent."""
        name = record["TrainingJobName"]
        interrupted = record[self.status] == "InProgress" and "TuningJobArn" not in record
        if not interrupted or not self._retry(name, f"{_INTERNAL}: The local SageMaker ended while the job ran"):
            return False
        self.start(name)
        return True

    def _retry(self, name: str, reason: str) -> bool:
        """Count another attempt; False when there may be none."""

        def attempt(record: Record) -> dict[str, Any] | None:
            tried = record.get("_retries", 0)
            if tried >= record.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0):
                return None
            return {
                "_retries": tried + 1,
                **transition(record, "Starting", f"Retrying the training job: {reason:.200}"),
            }

        return self.store.change(KIND, name, attempt) is not None

    def on_enter(self, record: Record, status: str, message: str) -> dict[str, Any]:
        return transition(record, status, message)

    def on_end(self, record: Record, verdict: Verdict) -> dict[str, Any]:
        ended = super().on_end(record, verdict)
        secondary = ended.get("SecondaryStatus", verdict.status)
        ended |= transition(record, secondary, verdict.reason or _WORDS[verdict.status])
        ended["SecondaryStatusTransitions"][-1]["EndTime"] = ended["LastModifiedTime"]
        if (started := record.get("TrainingStartTime")) is not None:
            seconds = max(1, round(ended["TrainingEndTime"] - started))
            ended |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return ended
