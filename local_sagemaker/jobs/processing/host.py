"""One host of a processing job: its container with its inputs, program and outputs."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.api.context import Context
from local_sagemaker.images import Image
from local_sagemaker.jobs import archive, environment
from local_sagemaker.jobs.archive import ArchiveError
from local_sagemaker.jobs.cluster import Cluster
from local_sagemaker.jobs.container import JobContainer
from local_sagemaker.jobs.inputs.entries import Entry, copy_entries, share
from local_sagemaker.jobs.jobs import JobError
from local_sagemaker.jobs.process import Outcome
from local_sagemaker.jobs.processing.outputs import Outputs
from local_sagemaker.store import Record

_MAX_MESSAGE = 1024
_SOURCES = "sourcedir.tar.gz"  # the SageMaker SDK's name for an archive of scripts
_CONFIG = (
    "ProcessingJobArn", "ProcessingJobName", "AppSpecification", "Environment", "ProcessingInputs",
    "ProcessingOutputConfig", "ProcessingResources", "RoleArn", "StoppingCondition",
)  # fmt: skip


@dataclass(frozen=True)
class InputFiles:
    """The objects of one processing input and where they go."""

    path: str
    entries: Sequence[Entry]
    sharded: bool


class ProcessingHost:
    """Host number ``number`` of ``cluster``, from 0, in its ``container``."""

    def __init__(self, context: Context, job: Record, cluster: Cluster, number: int, container: JobContainer) -> None:
        self._context, self._job, self._cluster, self._number = context, job, cluster, number
        self.container = container
        self._folder = container.folder
        self._outputs = Outputs(context.objects, job, self._folder)
        self._argv: list[str] = []
        self._environ: dict[str, str] = {}

    def receive(self, inputs: Sequence[InputFiles]) -> None:
        """Take the data of all inputs. Raises JobError."""
        hosts = len(self._cluster.names)
        for files in inputs:
            entries = share(files.entries, self._number, hosts) if files.sharded else files.entries
            copy_entries(entries, self._path(files.path))
        for folder in {self._path(files.path) for files in inputs if self._holds_program(files)}:
            self._folder.relocate_files(folder)
        for files in inputs:
            self._relocate_sources(self._path(files.path) / _SOURCES)

    def _path(self, path: str) -> Path:
        return Path(self._folder.relocate(path))

    def _holds_program(self, files: InputFiles) -> bool:
        """Whether the job's entrypoint names a file of this input."""
        folder = files.path.rstrip("/") + "/"
        return any(part.startswith(folder) for part in self._job["AppSpecification"].get("ContainerEntrypoint", []))

    def _relocate_sources(self, packed: Path) -> None:
        """Relocate the paths inside the SDK's archive of scripts, if it is there."""
        if not packed.is_file():
            return
        folder = self._folder.tmp / "sources"
        folder.mkdir()
        try:
            archive.unpack(packed, folder, packed.name)
        except ArchiveError as error:
            raise JobError(f"ClientError: {error}") from error
        self._folder.relocate_files(folder)
        archive.pack([folder], packed)

    def configure(self, image: Image) -> None:
        """Write what the program reads to learn of its job."""
        config = self._folder.base / "config"
        config.mkdir(exist_ok=True)
        resources = self._cluster.resources(self._number)
        job = {name: self._job[name] for name in _CONFIG if name in self._job}
        for name, value in (("resourceconfig", resources), ("processingjobconfig", job)):
            text = self._folder.relocate(json.dumps(value))
            (config / f"{name}.json").write_text(text, encoding="utf-8")
        self._environ = {
            **environment.container(self._folder, image, self._context.connection.region),
            **self._cluster.environ(),
            **{key: self._folder.relocate(value) for key, value in self._job.get("Environment", {}).items()},
            **environment.base(self._folder),
        }
        self._argv = self._command(image)
        self._outputs.open()

    def _command(self, image: Image) -> list[str]:
        """The request's own command if it has one, else the image's ``process`` program."""
        specification: dict[str, Any] = self._job["AppSpecification"]
        entrypoint = [self._folder.relocate(part) for part in specification.get("ContainerEntrypoint", [])]
        arguments = [self._folder.relocate(part) for part in specification.get("ContainerArguments", [])]
        return (entrypoint or [str(image.interpreter), *image.process]) + arguments

    def run(self, stop: threading.Event, timeout: float, grace: float) -> Outcome:
        """Run the program to its end. Raises JobError."""
        return self.container.run(self._argv, self._environ, stop, timeout=timeout, grace=grace)

    def save_outputs(self, *, completed: bool) -> None:
        """Upload what is not yet in S3; outputs of the end of the job only when it completed. Raises JobError."""
        self._outputs.close(completed=completed)

    def message(self) -> str:
        """What the program left in /opt/ml/output/message."""
        try:
            path = self._folder.output / "message"
            return path.read_text(encoding="utf-8", errors="replace")[:_MAX_MESSAGE].strip()
        except OSError:
            return ""

    def leave(self) -> None:
        """End all that serves the container and free its disk; the log stays."""
        self._outputs.abandon()
        self._folder.remove_contents()
