"""Jobs of one kind: a thread each, from InProgress to the end."""

from __future__ import annotations

import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.store import Record

_INTERRUPTED = "InternalServerError: The local SageMaker was stopped or ended while the job ran. Please try again."
_DEFAULT_GRACE = 120.0  # AWS gives a container so many seconds between SIGTERM and SIGKILL
_MAX_REASON = 1024
_DISK_PERIOD = 1.0  # seconds between tries to write to a disk that is full

log = logging.getLogger(__name__)


class JobError(Exception):
    """The job fails for this reason, worded as AWS words it."""


@dataclass(frozen=True)
class Verdict:
    """How a job ended: Completed, Failed or Stopped, why, and what else its record then holds."""

    status: str
    reason: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)


class Jobs(ABC):
    """The jobs of one kind of this server. A kind's name is the stem of AWS's members: <kind>Name, <kind>Status."""

    kind: str
    active = "InProgress"  # the status of a job that runs

    def __init__(self, context: Context) -> None:
        self.context, self.store = context, context.store
        self.status = f"{self.kind}Status"
        self.stem = self.kind.removesuffix("Job")
        self.grace = float(os.environ.get("LOCAL_SAGEMAKER_STOP_SECONDS", _DEFAULT_GRACE))
        self._stops: dict[str, threading.Event] = {}
        self._closing = False

    @abstractmethod
    def work(self, record: Record, stop: threading.Event) -> Verdict:
        """Do the job, in its thread, until its end or until ``stop`` is set. May raise JobError."""

    def on_enter(self, record: Record, status: str, message: str) -> dict[str, Any]:
        """The members that change when a job comes to a (secondary) status."""
        return {"LastModifiedTime": now_seconds()}

    def on_end(self, record: Record, verdict: Verdict) -> dict[str, Any]:
        """The members that change when a job ends."""
        now = now_seconds()
        reason = {"FailureReason": verdict.reason[:_MAX_REASON]} if verdict.reason else {}
        ended = {self.status: verdict.status, f"{self.stem}EndTime": now, "LastModifiedTime": now}
        return {**ended, **reason, **verdict.members}

    def recover(self) -> None:
        """After a restart: jobs that ran in the earlier server have failed, unless they can be taken up again."""
        for record in self.store.all(self.kind):
            if self.running(record) and not self.resume(record):
                self._finish(record[f"{self.kind}Name"], Verdict("Failed", _INTERRUPTED))

    def resume(self, record: Record) -> bool:
        """Take up a job that ran in the earlier server, if that can be; else it has failed."""
        return False

    def running(self, record: Record) -> bool:
        return record[self.status] in (self.active, "Stopping")

    def close(self) -> None:
        """The server ends: jobs that still run stop, and will have failed for that reason."""
        self._closing = True
        for event in list(self._stops.values()):
            event.set()

    def join(self, timeout: float) -> None:
        """Wait until the stopped jobs have written how they ended."""
        until = time.monotonic() + timeout
        while self._stops and time.monotonic() < until:
            time.sleep(0.02)

    def start(self, name: str) -> None:
        """Run the job ``name``, whose record is in the store, in a thread of its own."""
        self._stops[name] = threading.Event()
        threading.Thread(target=self._run, args=(name,), name=f"{self.kind} {name}", daemon=True).start()

    def stop(self, name: str) -> None:
        """Ask a running job to stop; its status is Stopping until it has. Nothing happens to an ended one."""

        def stopping(record: Record) -> Record | None:
            if record[self.status] != self.active:
                return None
            return {self.status: "Stopping", **self.on_enter(record, "Stopping", "Stopping the job")}

        self.store.change(self.kind, name, stopping)
        if (event := self._stops.get(name)) is not None:
            event.set()

    def enter(self, name: str, status: str, message: str, **members: Any) -> None:
        """Put the job into a secondary status, unless it is stopping; ``members`` change in any case."""

        def entering(record: Record) -> Record | None:
            changes = self.on_enter(record, status, message) if record[self.status] == self.active else {}
            return {**changes, **members} or None

        self.store.change(self.kind, name, entering)

    def _run(self, name: str) -> None:
        try:
            record = self.store.get(self.kind, name)
            assert record is not None
            verdict = self.work(record, self._stops[name])
        except JobError as error:
            verdict = Verdict("Failed", str(error))
        except Exception as error:
            log.exception("%s %s", self.kind, name)
            verdict = Verdict("Failed", f"InternalServerError: {error}")
        self._finish(name, Verdict("Failed", _INTERRUPTED) if self._closing else verdict)
        self._stops.pop(name, None)

    def _finish(self, name: str, verdict: Verdict) -> None:
        """Write how the job ended, as soon as the disk has room for it."""
        while True:
            try:
                self._write_end(name, verdict)
                return
            except OSError as error:
                if self._closing:
                    return  # the next server says that it was interrupted
                log.error("%s %s ended, which cannot be written yet: %s", self.kind, name, error)
                time.sleep(_DISK_PERIOD)

    def _write_end(self, name: str, verdict: Verdict) -> None:
        self.store.change(self.kind, name, lambda record: self.on_end(record, verdict))
