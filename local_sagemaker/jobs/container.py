"""One container of a job: its folder, its log, its image, its program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from local_sagemaker.api.context import Context
from local_sagemaker.aws.cloudwatch import LogStream
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.images import Image, ImageError
from local_sagemaker.images.build import build_image
from local_sagemaker.jobs import environment
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.jobs import JobError
from local_sagemaker.jobs.process import ContainerProcess, Outcome

_FAILURE_LENGTH = 1024


class JobContainer:
    """Runs one program of a job in a folder of its own."""

    def __init__(self, context: Context, root: Path, log: LogStream) -> None:
        self._context, self._log = context, log
        self.folder = ContainerFolder(root)

    def create(self) -> None:
        """Make the folder, and the role's access to AWS in its home."""
        self.folder.create()
        environment.write_aws_config(self.folder, self._context.connection)

    def write(self, lines: list[str]) -> None:
        """Append lines to the container's log file and log stream."""
        with self.folder.log.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        self._log.write(lines)

    def image(self, uri: str, member: str) -> Image:
        """The image with its environment built, whose progress goes to the log. Raises JobError."""
        image = self._context.image(uri, member)
        try:
            build_image(image, lambda line: self.write([line]))
        except ImageError as error:
            raise JobError(f"ClientError: The environment of image {uri} could not be built: {error}") from error
        return image

    def download(self, uri: str, folder: Path, role: str) -> int:
        """Fetch every object under a prefix; the number of files, at least one. Raises JobError."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            count = self._context.objects.download(uri, folder)
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Data download failed: {uri}: {error}") from error
        if count == 0:
            raise JobError(
                f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data '
                f"source. Check that objects exist under that prefix and that {role} may list them."
            )
        return count

    def run(
        self,
        argv: list[str],
        environ: Mapping[str, str],
        stop: threading.Event,
        *,
        timeout: float,
        grace: float,
        on_lines: Callable[[list[str]], None] | None = None,
    ) -> Outcome:
        """Run a program to its end; its lines go to ``on_lines``, or to the log. Raises JobError if it cannot start."""
        try:
            process = ContainerProcess(argv, environ, self.folder.root)
        except OSError as error:
            raise JobError(f"AlgorithmError: The container could not start: {error}, exit code: 127") from error
        return process.run(on_lines or self.write, stop, timeout=timeout, grace=grace)

    def failure(self, outcome: Outcome) -> str:
        """Why a program that ended with an error did so: its failure file's words, as FailureReason gives them."""
        try:
            reason = self.folder.failure.read_text(encoding="utf-8", errors="replace")[:_FAILURE_LENGTH].strip()
        except OSError:
            reason = ""
        code = outcome.exit_code if outcome.exit_code >= 0 else 128 - outcome.exit_code
        return f"AlgorithmError: {reason or 'See job logs for more information'}, exit code: {code}"
