"""One container of a job: its folder, its log, its image, its program."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local_sagemaker.api.context import Context
from local_sagemaker.aws.cloudwatch import LogStream
from local_sagemaker.images import Image, ImageError
from local_sagemaker.images.build import build_image
from local_sagemaker.jobs import environment
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.jobs import JobError
from local_sagemaker.jobs.limits import MEMORY, Limits
from local_sagemaker.jobs.process import ContainerProcess, Outcome

_FAILURE_LENGTH = 1024


class JobContainer:
    """Runs one program of a job in a folder of its own."""

    def __init__(self, context: Context, root: Path, log: LogStream) -> None:
        self._context, self._log = context, log
        self._process: ContainerProcess | None = None
        self.folder = ContainerFolder(root)
        self.limits = Limits.read(os.environ)

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
            self._process = ContainerProcess(argv, environ, self.folder.root, self.limits)
        except OSError as error:
            raise JobError(f"AlgorithmError: The container could not start: {error}, exit code: 127") from error
        return self._process.run(on_lines or self.write, stop, timeout=timeout, grace=grace)

    def kill(self) -> None:
        """End the program at once, if it runs."""
        if self._process is not None and self._process.alive:
            self._process.signal(signal.SIGKILL)

    def failure(self, outcome: Outcome) -> str:
        """Why a program that ended with an error did so: its failure file's words, as FailureReason gives them."""
        try:
            reason = self.folder.failure.read_text(encoding="utf-8", errors="replace")[:_FAILURE_LENGTH].strip()
        except OSError:
            reason = ""
        if outcome.cause == "memory":
            reason = f"Please use an instance type with more memory: the container used more than {MEMORY} allows"
            return f"ClientError: {reason} ({os.environ.get(MEMORY)}), exit code: 137"
        code = outcome.exit_code if outcome.exit_code >= 0 else 128 - outcome.exit_code
        return f"AlgorithmError: {reason or 'See job logs for more information'}, exit code: {code}"


def containers(context: Context, root: Path, group: str, job: str, hosts: Sequence[str]) -> list[JobContainer]:
    """A container for each host of a job: the only one has the job's folder, several have one each below it."""
    started = int(time.time())
    roots = [root / host for host in hosts] if len(hosts) > 1 else [root]
    streams = [LogStream(context.services, group, f"{job}/{host}-{started}") for host in hosts]
    return [JobContainer(context, *place) for place in zip(roots, streams, strict=True)]
