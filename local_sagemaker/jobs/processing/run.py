"""One processing job: download, run on its hosts, upload."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.images import Image
from local_sagemaker.jobs.cluster import Cluster
from local_sagemaker.jobs.container import containers
from local_sagemaker.jobs.inputs.entries import list_entries
from local_sagemaker.jobs.jobs import JobError, Verdict
from local_sagemaker.jobs.process import Outcome
from local_sagemaker.jobs.processing.host import InputFiles, ProcessingHost
from local_sagemaker.jobs.together import Program, Together, failed
from local_sagemaker.store import Record

if TYPE_CHECKING:
    from local_sagemaker.jobs.processing.jobs import ProcessingJobs

_LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


def job_folder(context: Context, name: str) -> Path:
    """The job's folder: a training job may have the same name, but no job's name has a dot."""
    return context.workspace.jobs / f"{name}.processing"


class ProcessingRun:
    """The life of one processing job's containers."""

    def __init__(self, jobs: ProcessingJobs, job: Record, stop: threading.Event) -> None:
        self._jobs, self._job, self._stop = jobs, job, stop
        self._context = jobs.context
        self._name: str = job["ProcessingJobName"]
        self._root = job_folder(self._context, self._name)
        resources = job["ProcessingResources"]["ClusterConfig"]
        self._cluster = Cluster(resources["InstanceCount"], resources["InstanceType"])
        places = containers(self._context, self._root, _LOG_GROUP, self._name, self._cluster.names)
        self._hosts = [ProcessingHost(self._context, job, self._cluster, *numbered) for numbered in enumerate(places)]

    def run(self) -> Verdict:
        """Run the job to its end. Raises JobError for what is the job's own fault."""
        try:
            return self._run()
        finally:
            for host in self._hosts:
                host.leave()
            self._cluster.close()

    def _run(self) -> Verdict:
        shutil.rmtree(self._root, ignore_errors=True)
        self._root.mkdir(parents=True, mode=0o700)
        for host in self._hosts:
            host.container.create()
        self._require_program()
        image = self._hosts[0].container.image(self._job["AppSpecification"]["ImageUri"], "ImageUri")
        inputs = [self._list(member["S3Input"]) for member in self._job.get("ProcessingInputs", [])]
        for host in self._hosts:
            host.receive(inputs)
        if self._stop.is_set():
            return Verdict("Stopped")
        number, outcome = self._process(image)
        return self._conclude(self._hosts[number], outcome)

    def _require_program(self) -> None:
        """Raise JobError when neither the job nor its image says what to run."""
        specification = self._job["AppSpecification"]
        image = self._context.image(specification["ImageUri"], "ImageUri")
        if not image.process and not specification.get("ContainerEntrypoint"):
            raise JobError(
                f"AlgorithmError: image {image.name} has no program of its own, and the job has no "
                "ContainerEntrypoint, exit code: 127"
            )

    def _list(self, source: Record) -> InputFiles:
        data_type, uri = source["S3DataType"], source["S3Uri"]
        entries = list_entries(self._context.objects, data_type, uri, self._job["RoleArn"])
        return InputFiles(source["LocalPath"], entries, source.get("S3DataDistributionType") == "ShardedByS3Key")

    def _process(self, image: Image) -> tuple[int, Outcome]:
        """Number and outcome of the host that decides."""
        timeout = self._job["StoppingCondition"]["MaxRuntimeInSeconds"]

        def program(host: ProcessingHost) -> Program:
            host.configure(image)
            return Program(lambda halt: host.run(halt, timeout, self._jobs.grace), host.container.kill)

        programs = [program(host) for host in self._hosts]
        self._jobs.enter(self._name, "Processing", "", ProcessingStartTime=now_seconds())
        return Together(self._stop).run(programs)

    def _conclude(self, decisive: ProcessingHost, outcome: Outcome) -> Verdict:
        completed = outcome.cause == "exited" and outcome.exit_code == 0
        for host in self._hosts:
            host.save_outputs(completed=completed)
        message = decisive.message() or next(filter(None, (host.message() for host in self._hosts)), "")
        members = {"ExitMessage": message} if message else {}
        if failed(outcome):
            return Verdict("Failed", decisive.container.failure(outcome), members)
        return Verdict("Completed" if completed else "Stopped", members=members)
