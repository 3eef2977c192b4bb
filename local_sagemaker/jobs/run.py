"""One training job: download, train on its hosts, upload."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_sagemaker.api.context import now_seconds
from local_sagemaker.aws.cloudwatch import MetricSeries
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.images import Image
from local_sagemaker.jobs.artifacts import Artifacts
from local_sagemaker.jobs.cluster import Cluster
from local_sagemaker.jobs.container import containers
from local_sagemaker.jobs.host import Host
from local_sagemaker.jobs.inputs.channels import Channel, ChannelData
from local_sagemaker.jobs.jobs import JobError, Verdict
from local_sagemaker.jobs.metrics import MetricScanner
from local_sagemaker.jobs.process import Outcome
from local_sagemaker.jobs.together import Program, Together, failed
from local_sagemaker.store import Record

if TYPE_CHECKING:
    from local_sagemaker.jobs.training import TrainingJobs

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingRun:
    """The life of one training job's containers."""

    def __init__(self, jobs: TrainingJobs, job: Record, stop: threading.Event) -> None:
        self._jobs, self._job, self._stop = jobs, job, stop
        self._context = jobs.context
        self._name: str = job["TrainingJobName"]
        self._root = self._context.workspace.jobs / self._name
        self._series = MetricSeries(self._context.services, _LOG_GROUP, "TrainingJobName", self._name)
        resources = job["ResourceConfig"]
        self._cluster = Cluster(resources["InstanceCount"], resources["InstanceType"])
        places = containers(self._context, self._root, _LOG_GROUP, self._name, self._cluster.names)
        self._hosts = [Host(self._context, job, self._cluster, *numbered) for numbered in enumerate(places)]
        self._together = Together(stop)
        self._limit = ""

    def run(self) -> Verdict:
        """Run the job to its end. Raises JobError for what is the job's own fault."""
        self._context.services.wait()  # a job that is taken up again starts before them
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
        uri = self._job["AlgorithmSpecification"]["TrainingImage"]
        image = self._hosts[0].container.image(uri, "TrainingImage")
        inputs = self._download()
        if self._stop.is_set():
            return Verdict("Stopped")
        scanner = MetricScanner(self._metrics(image))
        number, outcome = self._train(image, inputs, scanner)
        return self._conclude(self._hosts[number], outcome, scanner)

    def _metrics(self, image: Image) -> Mapping[str, str]:
        asked = self._job["AlgorithmSpecification"].get("MetricDefinitions", [])
        return {**image.metrics, **{definition["Name"]: definition["Regex"] for definition in asked}}

    def _download(self) -> dict[str, Any]:
        """Bring every host its channels; the contents of inputdataconfig.json."""
        self._jobs.enter(self._name, "Downloading", "Downloading input data")
        mode = self._job["AlgorithmSpecification"]["TrainingInputMode"]
        channels = [Channel.of(member, mode) for member in self._job.get("InputDataConfig", [])]
        data = [ChannelData(self._context.objects, channel, self._job["RoleArn"]) for channel in channels]
        for host in self._hosts:
            host.receive(data, self._together.fail)
        return {channel.name: channel.config() for channel in channels}

    def _train(self, image: Image, inputs: Mapping[str, Any], scanner: MetricScanner) -> tuple[int, Outcome]:
        """Number and outcome of the host that decides."""
        started = self._job.get("TrainingStartTime") or now_seconds()  # of the first attempt
        message = "Training image download completed. Training in progress."
        self._jobs.enter(self._name, "Training", message, TrainingStartTime=started)
        timeout, self._limit = self._time_left(started)

        def program(host: Host) -> Program:
            host.configure(image, inputs)
            return Program(lambda halt: host.run(halt, timeout, self._jobs.grace, on_lines), host.container.kill)

        def on_lines(lines: list[str]) -> None:
            values = scanner.scan(lines)
            self._series.write(values)
            self._jobs.report(self._name, values)

        return self._together.run([program(host) for host in self._hosts])

    def _time_left(self, started: float) -> tuple[float, str]:
        """Seconds that the program may run, all attempts together, and the secondary status when they are over."""
        condition, now = self._job["StoppingCondition"], now_seconds()
        run = condition["MaxRuntimeInSeconds"] - (now - started)
        wait = condition.get("MaxWaitTimeInSeconds", float("inf")) - (now - self._job["CreationTime"])
        return min((run, "MaxRuntimeExceeded"), (wait, "MaxWaitTimeExceeded"))

    def _conclude(self, decisive: Host, outcome: Outcome, scanner: MetricScanner) -> Verdict:
        self._jobs.enter(self._name, "Uploading", "Uploading generated training model")
        self._upload(model=not failed(outcome))
        metrics = {"FinalMetricDataList": scanner.final()} if scanner.final() else {}
        if failed(outcome):
            return Verdict("Failed", decisive.container.failure(outcome), metrics)
        if outcome.cause == "timeout":
            return Verdict("Stopped", members={"SecondaryStatus": self._limit, **metrics})
        return Verdict("Stopped" if outcome.cause == "stopped" else "Completed", members=metrics)

    def _upload(self, *, model: bool) -> None:
        first = self._hosts[0]
        artifacts = Artifacts(self._context.objects, self._job, first.folder.tmp)
        try:
            for host in self._hosts:
                host.save_checkpoints()
            doubled = artifacts.save_model([host.folder.model for host in self._hosts]) if model else []
            doubled += artifacts.save_output([host.folder.output_data for host in self._hosts])
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Artifact upload failed: {error}") from error
        first.container.write([f"Several hosts wrote {name}; the first one's is kept" for name in doubled])
