"""One training job: download, train, upload."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_sagemaker.api.context import now_seconds
from local_sagemaker.aws.cloudwatch import LogStream, MetricSeries
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.images import Image
from local_sagemaker.jobs import archive, environment
from local_sagemaker.jobs.checkpoints import CheckpointSync
from local_sagemaker.jobs.container import JobContainer
from local_sagemaker.jobs.jobs import JobError, Verdict
from local_sagemaker.jobs.metrics import MetricScanner
from local_sagemaker.jobs.process import Outcome
from local_sagemaker.store import Record

if TYPE_CHECKING:
    from local_sagemaker.jobs.training import TrainingJobs

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_DRIVER_CHANNEL = "sm_drivers"  # the SageMaker SDK's own scripts, which name /opt/ml


class TrainingRun:
    """The life of one training job's container."""

    def __init__(self, jobs: TrainingJobs, job: Record, stop: threading.Event) -> None:
        self._jobs, self._job, self._stop = jobs, job, stop
        self._context = jobs.context
        self._name: str = job["TrainingJobName"]
        services = self._context.services
        stream = f"{self._name}/{environment.HOST}-{int(time.time())}"
        log = LogStream(services, _LOG_GROUP, stream)
        self._container = JobContainer(self._context, self._context.workspace.jobs / self._name, log)
        self._folder = self._container.folder
        self._checkpoints: CheckpointSync | None = None
        self._series = MetricSeries(services, _LOG_GROUP, "TrainingJobName", self._name)

    def run(self) -> Verdict:
        """Run the job to its end. Raises JobError for what is the job's own fault."""
        try:
            return self._run()
        finally:
            if self._checkpoints is not None:
                self._checkpoints.abandon()
            self._folder.remove_contents()

    def _run(self) -> Verdict:
        self._container.create()
        image = self._container.image(self._job["AlgorithmSpecification"]["TrainingImage"], "TrainingImage")
        inputs = self._download()
        self._open_checkpoints()
        if self._stop.is_set():
            return Verdict("Stopped")
        scanner = MetricScanner(self._metrics(image))
        outcome = self._train(image, inputs, scanner)
        return self._conclude(outcome, scanner)

    def _metrics(self, image: Image) -> Mapping[str, str]:
        asked = self._job["AlgorithmSpecification"].get("MetricDefinitions", [])
        return {**image.metrics, **{definition["Name"]: definition["Regex"] for definition in asked}}

    def _download(self) -> dict[str, Any]:
        """Fetch the channels; the contents of inputdataconfig.json."""
        self._jobs.enter(self._name, "Downloading", "Downloading input data")
        inputs = {}
        for channel in self._job.get("InputDataConfig", []):
            name, uri = channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"]
            self._container.download(uri, self._folder.channel(name), self._job["RoleArn"])
            inputs[name] = {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
        if _DRIVER_CHANNEL in inputs:
            self._folder.relocate_files(self._folder.channel(_DRIVER_CHANNEL))
        return inputs

    def _open_checkpoints(self) -> None:
        config = self._job.get("CheckpointConfig")
        if not config:
            return
        folder = Path(self._folder.relocate(config.get("LocalPath", "/opt/ml/checkpoints")))
        self._checkpoints = CheckpointSync(self._context.objects, config["S3Uri"], folder)
        try:
            self._checkpoints.open()
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Checkpoint download failed: {config['S3Uri']}: {error}") from error

    def _train(self, image: Image, inputs: dict[str, Any], scanner: MetricScanner) -> Outcome:
        resources = {
            "current_host": environment.HOST,
            "current_instance_type": self._job["ResourceConfig"]["InstanceType"],
            "current_group_name": "homogeneousCluster",
            "hosts": [environment.HOST],
            "network_interface_name": "lo",
        }
        self._folder.write_config("hyperparameters", self._job.get("HyperParameters", {}))
        self._folder.write_config("resourceconfig", resources)
        self._folder.write_config("inputdataconfig", inputs)
        environ = {
            **environment.container(self._folder, image, self._context.connection.region),
            **{key: self._folder.relocate(value) for key, value in self._job.get("Environment", {}).items()},
            **environment.training(self._folder, self._job, resources, inputs),
        }

        def on_lines(lines: list[str]) -> None:
            self._container.write(lines)
            self._series.write(scanner.scan(lines))

        self._jobs.enter(self._name, "Training", "Training is in progress", TrainingStartTime=now_seconds())
        timeout = self._job["StoppingCondition"]["MaxRuntimeInSeconds"]
        return self._container.run(
            self._argv(image), environ, self._stop, timeout=timeout, grace=self._jobs.grace, on_lines=on_lines
        )

    def _argv(self, image: Image) -> list[str]:
        """The request's own command if it has one, else the image's ``train`` program without arguments."""
        specification = self._job["AlgorithmSpecification"]
        arguments = [self._folder.relocate(a) for a in specification.get("ContainerArguments", [])]
        entrypoint = [self._folder.relocate(a) for a in specification.get("ContainerEntrypoint", [])]
        if not entrypoint and not image.train:
            raise JobError(f"AlgorithmError: image {image.name} has no program to train, exit code: 127")
        return (entrypoint or [str(image.interpreter), *image.train]) + arguments

    def _conclude(self, outcome: Outcome, scanner: MetricScanner) -> Verdict:
        failed = outcome.cause == "exited" and outcome.exit_code != 0
        self._jobs.enter(self._name, "Uploading", "Uploading generated training model")
        try:
            if self._checkpoints is not None:
                self._checkpoints.close()
            if not failed:
                self._upload(self._folder.model, "model.tar.gz")
            if any(self._folder.output_data.iterdir()):
                self._upload(self._folder.output_data, "output.tar.gz")
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Artifact upload failed: {error}") from error
        metrics = {"FinalMetricDataList": scanner.final()} if scanner.final() else {}
        if failed:
            return Verdict("Failed", self._container.failure(outcome), metrics)
        if outcome.cause == "timeout":
            return Verdict("Stopped", members={"SecondaryStatus": "MaxRuntimeExceeded", **metrics})
        return Verdict("Stopped" if outcome.cause == "stopped" else "Completed", members=metrics)

    def _upload(self, folder: Path, name: str) -> None:
        uri = self._job["ModelArtifacts"]["S3ModelArtifacts"].rpartition("/")[0] + f"/{name}"
        self._context.objects.require_bucket(uri)
        packed = self._folder.tmp / name
        archive.pack(folder, packed)
        self._context.objects.upload(uri, packed)
