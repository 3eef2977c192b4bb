"""Training jobs: what their records hold beside every job's."""

from __future__ import annotations

import threading
from typing import Any

from local_sagemaker.api.context import now_seconds
from local_sagemaker.jobs.jobs import Jobs, Verdict
from local_sagemaker.jobs.run import TrainingRun
from local_sagemaker.store import Record

KIND = "TrainingJob"


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

    def work(self, record: Record, stop: threading.Event) -> Verdict:
        return TrainingRun(self, record, stop).run()

    def on_enter(self, record: Record, status: str, message: str) -> dict[str, Any]:
        return transition(record, status, message)

    def on_end(self, record: Record, verdict: Verdict) -> dict[str, Any]:
        ended = super().on_end(record, verdict)
        secondary = ended.get("SecondaryStatus", verdict.status)
        ended |= transition(record, secondary, verdict.reason or f"Training job {verdict.status.lower()}")
        ended["SecondaryStatusTransitions"][-1]["EndTime"] = ended["LastModifiedTime"]
        if (started := record.get("TrainingStartTime")) is not None:
            seconds = max(1, round(ended["TrainingEndTime"] - started))
            ended |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return ended
