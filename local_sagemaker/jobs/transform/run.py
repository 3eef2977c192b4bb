"""One transform job: a serving container, asked about every file of the input."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from local_sagemaker.api.context import now_seconds
from local_sagemaker.aws.cloudwatch import LogStream
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.hosting.container import ServingContainer
from local_sagemaker.hosting.program import ContainerFailure, Program
from local_sagemaker.hosting.serving import Serving
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.inputs.entries import list_entries
from local_sagemaker.jobs.jobs import JobError, Verdict
from local_sagemaker.jobs.transform.asking import AnswerError, Asker
from local_sagemaker.jobs.transform.files import Answer, InputFile, Payload
from local_sagemaker.jobs.transform.parameters import Parameters, offered_by, requested
from local_sagemaker.jobs.transform.processing import DataProcessing
from local_sagemaker.jobs.transform.records import RecordError
from local_sagemaker.store import Record
from local_sagemaker.workspace import Workspace

if TYPE_CHECKING:
    from local_sagemaker.jobs.transform.jobs import TransformJobs

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_STARTUP = 1800.0  # seconds that AWS gives the container before the first healthy /ping
_FILES = "files"  # below the job's folder: what is on its way to the program or to S3
_TICK = 0.1  # seconds between looks at the stop event


def job_root(workspace: Workspace, name: str) -> Path:
    """The folder of a transform job. The dot keeps it apart from a training job of the same name."""
    return workspace.jobs / f"{name}.transform"


def clear(root: Path) -> None:
    """Free the disk after a job: everything but the log goes."""
    ContainerFolder(root).remove_contents()
    shutil.rmtree(root / _FILES, ignore_errors=True)


class _Stopped(Exception):
    """The job was asked to stop."""


class TransformRun:
    """The life of one transform job."""

    def __init__(self, jobs: TransformJobs, job: Record, stop: threading.Event) -> None:
        self._jobs, self._job, self._stop = jobs, job, stop
        self._context, self._name = jobs.context, job["TransformJobName"]
        self._root = job_root(self._context.workspace, self._name)
        stream = f"{self._name}/algo-1-{int(time.time())}"
        self._log = LogStream(self._context.services, LOG_GROUP, f"{stream}/data-log")
        self._container = ServingContainer(self._context, self._serving(stream))
        self._asker = Asker(self._container, job, stop)
        self._failed: list[str] = []

    def _serving(self, stream: str) -> Serving:
        return Serving(
            title=f"transform job {self._name}",
            log_hint="transform job",
            root=self._root,
            log=LogStream(self._context.services, LOG_GROUP, stream),
            definition=self._job["_definition"],
            environ={**requested(self._job).environ(), **self._job.get("Environment", {})},
            startup=_STARTUP,
        )

    def run(self) -> Verdict:
        """Run the job to its end. Raises JobError for what is the job's own fault."""
        source = self._job["TransformInput"]["DataSource"]["S3DataSource"]
        entries = list_entries(self._context.objects, source["S3DataType"], source["S3Uri"], self._job["_role"])
        self._require_output()
        self._jobs.enter(self._name, "InProgress", "", TransformStartTime=now_seconds())
        folder = self._root / _FILES
        self._container.start()
        try:
            parameters = self._parameters()
            folder.mkdir()
            processing = DataProcessing(self._job)
            files = (InputFile(self._job, entry, processing, folder, n) for n, entry in enumerate(entries))
            self._transform(files, parameters)
        except _Stopped:
            return Verdict("Stopped")
        finally:
            self._container.stop()
            clear(self._root)
        return self._verdict()

    def _verdict(self) -> Verdict:
        if not self._failed:
            return Verdict("Completed")
        more = f" (and {len(self._failed) - 1} more)" if len(self._failed) > 1 else ""
        return Verdict("Failed", self._failed[0][:900] + more)

    def _require_output(self) -> None:
        try:
            self._context.objects.require_bucket(self._job["TransformOutput"]["S3OutputPath"])
        except ObjectError as error:
            raise JobError(f"ClientError: Output upload failed: {error}") from error

    def _parameters(self) -> Parameters:
        """How the program wants to be asked, once it is healthy."""
        parameters = requested(self._job, offered_by(self._program()))
        self._write(str(parameters))
        return parameters

    def _program(self) -> Program:
        """The program, once it is healthy. Raises JobError."""
        while True:
            self._check_stop()
            try:
                return self._container.program(_TICK)
            except ContainerFailure as failure:
                if self._container.failed:
                    raise JobError(f"{failure.side}: {failure}") from failure

    def _transform(self, files: Iterator[InputFile], parameters: Parameters) -> None:
        """Ask about every payload of every file, so many at a time; the answers are taken in their order."""
        count = parameters.max_concurrent
        asked: deque[tuple[InputFile, Payload | None, Future[Answer] | None]] = deque()
        pool = ThreadPoolExecutor(count, thread_name_prefix=f"transform {self._name}")
        try:
            for file, payload in self._payloads(files, parameters):
                self._check_stop()
                asked.append((file, payload, pool.submit(self._asker.ask, payload) if payload else None))
                while len(asked) > 2 * count:
                    self._take(*asked.popleft())
            while asked:
                self._take(*asked.popleft())
        finally:
            self._container.request_stop()
            pool.shutdown(cancel_futures=True)

    def _payloads(
        self, files: Iterator[InputFile], parameters: Parameters
    ) -> Iterator[tuple[InputFile, Payload | None]]:
        """Every file's payloads, and None at the end of each file."""
        for file in files:
            with self._failing(file):
                for payload in file.payloads(parameters):
                    if file.failed:
                        break
                    yield file, payload
            yield file, None

    def _take(self, file: InputFile, payload: Payload | None, answer: Future[Answer] | None) -> None:
        """Put the next answer into its file; at the file's end, the file into S3."""
        if payload is None or answer is None:
            self._finish(file)
            return
        while not wait([answer], _TICK).done:
            self._check_stop()
        self._check_stop()
        if not file.failed:
            with self._failing(file):
                file.write(payload, answer.result())

    def _finish(self, file: InputFile) -> None:
        if not file.failed:
            with self._failing(file):
                self._context.objects.upload(file.uri, file.finish())
        file.discard()

    @contextlib.contextmanager
    def _failing(self, file: InputFile) -> Iterator[None]:
        """Let what goes wrong with a file be the file's failure alone: the job goes on, and fails in the end."""
        try:
            yield
        except AnswerError as error:
            self._fail(file, error.side, *error.lines)
        except (RecordError, ObjectError, OSError) as error:
            self._fail(file, "ClientError", str(error))

    def _fail(self, file: InputFile, side: str, *lines: str) -> None:
        file.failed = True
        self._write(*(f"{file.title}: {line}" for line in lines))
        told = ": ".join(dict.fromkeys((lines[0], lines[-1])))
        self._failed.append(f"{side}: See job logs for more information: {file.title}: {told}")

    def _write(self, *lines: str) -> None:
        """Append lines to the job's data log."""
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}"
        self._log.write([f"{stamp}:[sagemaker logs]: {line}" for line in lines])

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _Stopped
