"""The processing jobs of this server."""

from __future__ import annotations

import threading

from local_sagemaker.jobs.jobs import Jobs, Verdict
from local_sagemaker.jobs.processing.run import ProcessingRun
from local_sagemaker.store import Record

KIND = "ProcessingJob"


class ProcessingJobs(Jobs):
    """Runs processing jobs."""

    kind = KIND

    def work(self, record: Record, stop: threading.Event) -> Verdict:
        return ProcessingRun(self, record, stop).run()
