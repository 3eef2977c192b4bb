"""One training job: download, train, upload."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.aws.cloudwatch import LogStream, MetricSeries
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.images import Image, ImageError
from local_sagemaker.images.build import build_image
from local_sagemaker.jobs import archive, environment
from local_sagemaker.jobs.checkpoints import CheckpointSync
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.metrics import MetricScanner
from local_sagemaker.jobs.process import ContainerProcess, Outcome
from local_sagemaker.store import Record

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_FAILURE_LENGTH = 1024
_DRIVER_CHANNEL = "sm_drivers"  # the SageMaker SDK's own scripts, which name /opt/ml


@dataclass(frozen=True)
class Verdict:
    """How a job ended."""

    status: str
    secondary: str
    reason: str = ""
    metrics: list[dict[str, Any]] = field(default_factory=list)


class Enter(Protocol):
    """Puts a job into a secondary status."""

    def __call__(self, name: str, status: str, message: str, **members: Any) -> None: ...


class _JobError(Exception):
    """The job fails for this reason, worded as AWS words it."""


class TrainingRun:
    """The life of one training job's container."""

    def __init__(self, context: Context, job: Record, enter: Enter, stop: threading.Event, grace: float) -> None:
        self._context, self._job, self._stop, self._grace = context, job, stop, grace
        self._name: str = job["TrainingJobName"]
        self._enter = enter
        self._folder = ContainerFolder(context.workspace.jobs / self._name)
        stream = f"{self._name}/{environment.HOST}-{int(time.time())}"
        self._log = LogStream(context.services, _LOG_GROUP, stream)
        self._checkpoints: CheckpointSync | None = None
        self._series = MetricSeries(context.services, _LOG_GROUP, "TrainingJobName", self._name)

    def run(self) -> Verdict:
        """Run the job to its end; never raises for what is the job's own fault."""
        try:
            return self._run()
        except _JobError as error:
            return Verdict("Failed", "Failed", str(error))
        finally:
            if self._checkpoints is not None:
                self._checkpoints.abandon()
            self._folder.remove_contents()

    def _run(self) -> Verdict:
        self._folder.create()
        image = self._image()
        inputs = self._download()
        self._open_checkpoints()
        if self._stop.is_set():
            return Verdict("Stopped", "Stopped")
        scanner = MetricScanner(self._metrics(image))
        outcome = self._train(image, inputs, scanner)
        return self._conclude(outcome, scanner)

    def _image(self) -> Image:
        uri = self._job["AlgorithmSpecification"]["TrainingImage"]
        image = self._context.image(uri, "TrainingImage")
        try:
            build_image(image, self._tell)
        except ImageError as error:
            raise _JobError(f"ClientError: The environment of image {uri} could not be built: {error}") from error
        return image

    def _tell(self, line: str) -> None:
        self._write([line])

    def _write(self, lines: list[str]) -> None:
        with self._folder.log.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        self._log.write(lines)

    def _metrics(self, image: Image) -> Mapping[str, str]:
        asked = self._job["AlgorithmSpecification"].get("MetricDefinitions", [])
        return {**image.metrics, **{definition["Name"]: definition["Regex"] for definition in asked}}

    def _download(self) -> dict[str, Any]:
        """Fetch the channels; the contents of inputdataconfig.json."""
        self._enter(self._name, "Downloading", "Downloading input data")
        inputs = {}
        for channel in self._job.get("InputDataConfig", []):
            name, uri = channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"]
            self._fetch(uri, self._folder.channel(name))
            inputs[name] = {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
        if _DRIVER_CHANNEL in inputs:
            self._folder.relocate_files(self._folder.channel(_DRIVER_CHANNEL))
        return inputs

    def _fetch(self, uri: str, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        try:
            count = self._context.objects.download(uri, folder)
        except (ObjectError, OSError) as error:
            raise _JobError(f"ClientError: Data download failed: {uri}: {error}") from error
        if count == 0:
            raise _JobError(
                f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data '
                f"source. Check that objects exist under that prefix and that {self._job['RoleArn']} may list them."
            )

    def _open_checkpoints(self) -> None:
        config = self._job.get("CheckpointConfig")
        if not config:
            return
        folder = Path(self._folder.relocate(config.get("LocalPath", "/opt/ml/checkpoints")))
        self._checkpoints = CheckpointSync(self._context.objects, config["S3Uri"], folder)
        try:
            self._checkpoints.open()
        except (ObjectError, OSError) as error:
            raise _JobError(f"ClientError: Checkpoint download failed: {config['S3Uri']}: {error}") from error

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
        environment.write_aws_config(self._folder, self._context.connection)
        environ = {
            **environment.container(self._folder, image, self._context.connection.region),
            **{key: self._folder.relocate(value) for key, value in self._job.get("Environment", {}).items()},
            **environment.training(self._folder, self._job, resources, inputs),
        }

        def on_lines(lines: list[str]) -> None:
            self._write(lines)
            self._series.write(scanner.scan(lines))

        self._enter(self._name, "Training", "Training is in progress", TrainingStartTime=now_seconds())
        try:
            process = ContainerProcess(self._argv(image), environ, self._folder.root)
        except OSError as error:
            raise _JobError(f"AlgorithmError: The container could not start: {error}, exit code: 127") from error
        timeout = self._job["StoppingCondition"]["MaxRuntimeInSeconds"]
        return process.run(on_lines, self._stop, timeout=timeout, grace=self._grace)

    def _argv(self, image: Image) -> list[str]:
        """The request's own command if it has one, else the image's ``train`` program without arguments."""
        specification = self._job["AlgorithmSpecification"]
        arguments = [self._folder.relocate(a) for a in specification.get("ContainerArguments", [])]
        entrypoint = [self._folder.relocate(a) for a in specification.get("ContainerEntrypoint", [])]
        if not entrypoint and not image.train:
            raise _JobError(f"AlgorithmError: image {image.name} has no program to train, exit code: 127")
        return (entrypoint or [str(image.interpreter), *image.train]) + arguments

    def _conclude(self, outcome: Outcome, scanner: MetricScanner) -> Verdict:
        failed = outcome.cause == "exited" and outcome.exit_code != 0
        self._enter(self._name, "Uploading", "Uploading generated training model")
        try:
            if self._checkpoints is not None:
                self._checkpoints.close()
            if not failed:
                self._upload(self._folder.model, "model.tar.gz")
            if any(self._folder.output_data.iterdir()):
                self._upload(self._folder.output_data, "output.tar.gz")
        except (ObjectError, OSError) as error:
            raise _JobError(f"ClientError: Artifact upload failed: {error}") from error
        if failed:
            return Verdict("Failed", "Failed", self._failure(outcome), scanner.final())
        secondary = {"stopped": "Stopped", "timeout": "MaxRuntimeExceeded"}.get(outcome.cause, "Completed")
        return Verdict("Completed" if secondary == "Completed" else "Stopped", secondary, "", scanner.final())

    def _upload(self, folder: Path, name: str) -> None:
        uri = self._job["ModelArtifacts"]["S3ModelArtifacts"].rpartition("/")[0] + f"/{name}"
        self._context.objects.require_bucket(uri)
        packed = self._folder.tmp / name
        archive.pack(folder, packed)
        self._context.objects.upload(uri, packed)

    def _failure(self, outcome: Outcome) -> str:
        try:
            reason = self._folder.failure.read_text(encoding="utf-8", errors="replace")[:_FAILURE_LENGTH].strip()
        except OSError:
            reason = ""
        code = outcome.exit_code if outcome.exit_code >= 0 else 128 - outcome.exit_code
        return f"AlgorithmError: {reason or 'See job logs for more information'}, exit code: {code}"
