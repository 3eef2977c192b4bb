"""The outputs of a processing job's container: folders that become prefixes in S3."""

from __future__ import annotations

import shutil
from pathlib import Path

from local_sagemaker.aws.objects import ObjectError, Objects
from local_sagemaker.jobs.checkpoints import CheckpointSync
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.jobs import JobError
from local_sagemaker.store import Record


class Outputs:
    """Uploads while the program runs (S3UploadMode Continuous) or once it has completed (EndOfJob)."""

    def __init__(self, objects: Objects, job: Record, folder: ContainerFolder) -> None:
        self._objects, self._folder = objects, folder
        outputs = [output["S3Output"] for output in job.get("ProcessingOutputConfig", {}).get("Outputs", [])]
        self._at_end = {self._path(o): o["S3Uri"] for o in outputs if o["S3UploadMode"] == "EndOfJob"}
        self._continuous = [
            CheckpointSync(objects, o["S3Uri"], self._path(o)) for o in outputs if o["S3UploadMode"] == "Continuous"
        ]
        self._folders = [self._path(output) for output in outputs]

    def _path(self, output: Record) -> Path:
        return Path(self._folder.relocate(output["LocalPath"]))

    def open(self) -> None:
        """Make the folders and start to upload from those that are continuous."""
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
        for sync in self._continuous:
            sync.start()

    def close(self, *, completed: bool) -> None:
        """Upload all that is left; outputs of the end of the job only when it completed. Raises JobError."""
        try:
            for sync in self._continuous:
                sync.close()
            for folder, uri in self._at_end.items() if completed else ():
                self._upload(folder, uri)
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Failed to upload processing output: {error}") from error

    def abandon(self) -> None:
        """Stop to upload."""
        for sync in self._continuous:
            sync.abandon()

    def _upload(self, folder: Path, uri: str) -> None:
        self._objects.require_bucket(uri)
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
                continue  # a link may lead anywhere
            copy = self._folder.tmp / "output"
            shutil.copyfile(path, copy)
            self._objects.upload(f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", copy)
