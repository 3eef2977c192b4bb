"""A container's process: its own group, its output pumped line by line, ended by SIGTERM, then SIGKILL."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_sagemaker.jobs.limits import Limits

_TICK = 0.1  # seconds between looks at the clock, the stop event and the buffered lines
_WEIGH = 0.25  # seconds between looks at the memory that is used
_MAX_BATCH = 1000  # lines
_MAX_LINE = 256 * 1024  # bytes; CloudWatch's largest event
_UNLIMITED = Limits()


@dataclass(frozen=True)
class Outcome:
    """How a process ended: ``cause`` is "exited", "stopped", "timeout" or "memory" (it used more than it may)."""

    exit_code: int
    cause: str


class Lines:
    """Cuts bytes as they arrive into whole lines of text."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_LINE:
            whole.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", "replace").rstrip("\r") for line in whole]

    def rest(self) -> list[str]:
        whole, self._rest = self._rest, b""
        return [whole.decode("utf-8", "replace")] if whole else []


class ContainerProcess:
    """A program in its own process group, with stdout and stderr as one stream."""

    def __init__(self, argv: list[str], environ: Mapping[str, str], folder: Path, limits: Limits = _UNLIMITED) -> None:
        """Start ``argv``. Raises OSError when it cannot be started."""
        self._folder, self._limits = folder, limits
        with limits.applied():
            self._process = subprocess.Popen(
                argv,
                env=dict(environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
        self._lines = Lines()
        self._batch: list[str] = []
        self._flushed = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(
        self,
        on_lines: Callable[[list[str]], None],
        stop: threading.Event,
        *,
        timeout: float | None = None,
        grace: float = 120.0,
    ) -> Outcome:
        """Pump output into ``on_lines`` until the process ends by itself, by ``stop`` or after ``timeout`` s.

        An ending process has ``grace`` seconds between SIGTERM and SIGKILL. Whatever it started ends with it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        cause, kill_at, weigh_at = "exited", None, time.monotonic()
        with selectors.DefaultSelector() as selector:
            assert self._process.stdout is not None
            selector.register(self._process.stdout, selectors.EVENT_READ)
            try:
                while self.alive:
                    self._pump(selector, on_lines)
                    now = time.monotonic()
                    if kill_at is None and (stop.is_set() or (deadline is not None and now > deadline)):
                        cause = "stopped" if stop.is_set() else "timeout"
                        self.signal(signal.SIGTERM)
                        kill_at = now + grace
                    if cause == "exited" and now >= weigh_at:
                        weigh_at = now + _WEIGH
                        if self._limits.exceeded(self.pid):
                            cause, kill_at = "memory", now
                    if kill_at is not None and now >= kill_at:
                        self.signal(signal.SIGKILL)
            finally:
                self.signal(signal.SIGKILL)
                kill_strays(self._folder)
                self._process.wait()
            self._drain(selector, on_lines)
        self._process.stdout.close()
        return Outcome(self._process.returncode, cause)

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _pump(self, selector: selectors.BaseSelector, on_lines: Callable[[list[str]], None]) -> bool:
        """Wait for output at most one tick; False at its end."""
        open_ = True
        if selector.get_map():
            for key, _ in selector.select(_TICK):
                data = os.read(key.fd, 1 << 16)
                self._batch += self._lines.feed(data)
                if not data:
                    selector.unregister(key.fileobj)
                    open_ = False
        else:
            time.sleep(_TICK / 4)
            open_ = False
        if len(self._batch) >= _MAX_BATCH or time.monotonic() - self._flushed >= _TICK:
            self._flush(on_lines)
        return open_

    def _drain(self, selector: selectors.BaseSelector, on_lines: Callable[[list[str]], None]) -> None:
        """Read what is left in the pipe; a process that left the group may hold it open, so not for ever."""
        until = time.monotonic() + 2
        while time.monotonic() < until and self._pump(selector, on_lines):
            pass
        self._batch += self._lines.rest()
        self._flush(on_lines)

    def _flush(self, on_lines: Callable[[list[str]], None]) -> None:
        batch, self._batch = self._batch, []
        self._flushed = time.monotonic()
        if batch:
            on_lines(batch)


def kill_strays(folder: Path) -> int:
    """Kill every process that runs in a container below ``folder``; how many there were.

    Finds them by SAGEMAKER_BASE_DIR in their environment, so also those that a killed server left behind
    and those that left their group.
    """
    killed = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.environ().get("SAGEMAKER_BASE_DIR", "/")).is_relative_to(folder):
                process.kill()
                killed.append(process)
    until = time.monotonic() + 3
    while time.monotonic() < until and not all(map(_ended, killed)):
        time.sleep(_TICK / 10)
    return len(killed)


def _ended(process: psutil.Process) -> bool:
    """Whether a killed process is gone, but for being reaped by its parent."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
