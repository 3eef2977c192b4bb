"""Hyperparameter tuning jobs: their records, and their hold on the training jobs."""

from __future__ import annotations

import threading
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.api.operations import Operations
from local_sagemaker.jobs.jobs import Jobs, Verdict
from local_sagemaker.jobs.training import KIND as TRAINING
from local_sagemaker.jobs.training import TrainingJobs
from local_sagemaker.jobs.tuning.children import KIND
from local_sagemaker.jobs.tuning.run import TuningRun
from local_sagemaker.store import Record


class TuningJobs(Jobs):
    """The tuning jobs of this server."""

    kind = KIND

    def __init__(self, context: Context, operations: Operations, training: TrainingJobs) -> None:
        super().__init__(context)
        self.operations, self.training = operations, training

    def work(self, record: Record, stop: threading.Event) -> Verdict:
        return TuningRun(self, record, stop).run()

    def adopt(self, name: str, child: dict[str, Any]) -> None:
        """Note a training job before it is created, so that none is ever without its tuning job."""
        self.store.change(
            KIND, name, lambda job: {"_children": [*job["_children"], child], "LastModifiedTime": now_seconds()}
        )

    def mark(self, job: Record, child: str) -> None:
        """Let a training job's Describe name its tuning job."""
        self.store.update(TRAINING, child, TuningJobArn=job[f"{KIND}Arn"])

    def recover(self) -> None:
        """After a restart: running tuning jobs have failed, and so will the training jobs that are marked as theirs."""
        for job in self.store.all(KIND):
            if self.running(job):
                for child in job["_children"]:
                    self.mark(job, child["TrainingJobName"])
        super().recover()
