"""Transform jobs of this server."""

from __future__ import annotations

import threading

from local_sagemaker.jobs.jobs import Jobs, Verdict
from local_sagemaker.jobs.transform.run import TransformRun, clear, job_root
from local_sagemaker.store import Record

KIND = "TransformJob"


class TransformJobs(Jobs):
    """The life cycle of transform jobs."""

    kind = KIND

    def recover(self) -> None:
        for record in self.store.all(self.kind):
            if self.running(record):
                clear(job_root(self.context.workspace, record["TransformJobName"]))
        super().recover()

    def work(self, record: Record, stop: threading.Event) -> Verdict:
        return TransformRun(self, record, stop).run()
