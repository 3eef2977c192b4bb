"""One host of a training job: its container with its data, checkpoints and program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local_sagemaker.api.context import Context
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.images import Image
from local_sagemaker.jobs import environment
from local_sagemaker.jobs.checkpoints import CheckpointSync
from local_sagemaker.jobs.cluster import Cluster
from local_sagemaker.jobs.container import JobContainer
from local_sagemaker.jobs.inputs.channels import ChannelData
from local_sagemaker.jobs.inputs.pipe import Pipe
from local_sagemaker.jobs.jobs import JobError
from local_sagemaker.jobs.process import Outcome
from local_sagemaker.store import Record

_DRIVER_CHANNEL = "sm_drivers"  # the SageMaker SDK's own scripts, which name /opt/ml


class Host:
    """Host number ``number`` of ``cluster``, from 0, in its ``container``."""

    def __init__(self, context: Context, job: Record, cluster: Cluster, number: int, container: JobContainer) -> None:
        self._context, self._job, self._cluster, self._number = context, job, cluster, number
        self.container = container
        self.folder = self.container.folder
        self._kept: list[CheckpointSync] = []
        self._pipes: list[Pipe] = []
        self._argv: list[str] = []
        self._environ: dict[str, str] = {}

    def receive(self, channels: Sequence[ChannelData], fail: Callable[[JobError], None]) -> None:
        """Take the data of all channels; ``fail`` is told when a pipe breaks later on. Raises JobError."""
        for data in channels:
            pipe = data.deliver(
                self.folder.data, self._number, len(self._cluster.names), lambda reason: fail(JobError(reason))
            )
            self._pipes += [pipe] if pipe else []
        if any(data.channel.name == _DRIVER_CHANNEL for data in channels):
            self.folder.relocate_files(self.folder.channel(_DRIVER_CHANNEL), self._cluster.drivers())
        self._open_checkpoints()
        self._watch_tensorboard()

    def _open_checkpoints(self) -> None:
        if config := self._job.get("CheckpointConfig"):
            try:
                self._keep(config, "/opt/ml/checkpoints", config["S3Uri"]).open()
            except (ObjectError, OSError) as error:
                raise JobError(f"ClientError: Checkpoint download failed: {config['S3Uri']}: {error}") from error

    def _watch_tensorboard(self) -> None:
        if config := self._job.get("TensorBoardOutputConfig"):
            prefix = f"{config['S3OutputPath'].rstrip('/')}/{self._job['TrainingJobName']}/tensorboard-output"
            self._keep(config, "/opt/ml/output/tensorboard", prefix).start()

    def _keep(self, config: Mapping[str, str], default: str, uri: str) -> CheckpointSync:
        """A folder of the container that is kept in S3."""
        folder = Path(self.folder.relocate(config.get("LocalPath", default)))
        folder.mkdir(parents=True, exist_ok=True)
        self._kept.append(CheckpointSync(self._context.objects, uri, folder))
        return self._kept[-1]

    def configure(self, image: Image, inputs: Mapping[str, Any]) -> None:
        """Write what the program reads to learn of its job. Raises JobError for an image without a program."""
        resources = self._cluster.resources(self._number)
        self.folder.write_config("hyperparameters", self._job.get("HyperParameters", {}))
        self.folder.write_config("resourceconfig", resources)
        self.folder.write_config("inputdataconfig", inputs)
        cpus = self.container.limits.available_cpus()
        self._environ = {
            **environment.container(self.folder, image, self._context.connection.region),
            **self._cluster.environ(),
            **{key: self.folder.relocate(value) for key, value in self._job.get("Environment", {}).items()},
            **environment.training(self.folder, self._job, resources, inputs, cpus),
        }
        self._argv = self._command(image)

    def _command(self, image: Image) -> list[str]:
        """The request's own command if it has one, else the image's ``train`` program without arguments."""
        specification = self._job["AlgorithmSpecification"]
        arguments = [self.folder.relocate(a) for a in specification.get("ContainerArguments", [])]
        entrypoint = [self.folder.relocate(a) for a in specification.get("ContainerEntrypoint", [])]
        if not entrypoint and not image.train:
            raise JobError(f"AlgorithmError: image {image.name} has no program to train, exit code: 127")
        return (entrypoint or [str(image.interpreter), *image.train]) + arguments

    def run(
        self, stop: threading.Event, timeout: float, grace: float, on_lines: Callable[[list[str]], None]
    ) -> Outcome:
        """Run the program to its end; its lines go to the log and to ``on_lines``. Raises JobError."""

        def write(lines: list[str]) -> None:
            self.container.write(lines)
            on_lines(lines)

        return self.container.run(self._argv, self._environ, stop, timeout=timeout, grace=grace, on_lines=write)

    def save_checkpoints(self) -> None:
        """Upload the checkpoints and events that are not yet. Raises ObjectError or OSError."""
        for kept in self._kept:
            kept.close()

    def leave(self) -> None:
        """End all that serves the container and free its disk; the log stays."""
        for pipe in self._pipes:
            pipe.close()
        for kept in self._kept:
            kept.abandon()
        self.folder.remove_contents()
