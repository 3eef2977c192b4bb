"""Stops a lab that is running: politely first, so that the cell's own clean-up happens, then for good."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from lab_utils.runner.results import State


class Stopped(Exception):
    """The lab was stopped between two cells."""


class Kernel(Protocol):
    """What the guard needs of a running kernel: the id of its process group, None when there is no process."""

    def process_group(self) -> int | None: ...


class Guard:
    """Interrupts the kernel on time-out or Ctrl-C and kills it when it does not come to an end.

    Args:
        timeout: seconds until the lab is stopped; None for no limit.
        grace: seconds that an interrupted cell, and then the clean-up cell, may take.
    """

    def __init__(self, timeout: float | None = None, grace: float = 30.0) -> None:
        self.state: State | None = None
        self._timeout, self._grace = timeout, grace
        self._kernel: Kernel | None = None
        self._timer: threading.Timer | None = None

    @property
    def minutes(self) -> str:
        """The time-out for people: `60 min`."""
        return f"{(self._timeout or 0) / 60:.3g} min"

    def watch(self, kernel: Kernel) -> None:
        """Take charge of a kernel that is about to start."""
        self._kernel = kernel

    def start_clock(self) -> None:
        """The kernel is ready: the time-out counts from here."""
        if self._timeout is not None:
            self._start_timer(self._timeout, lambda: self.stop(State.TIMEOUT))

    def stop(self, state: State) -> None:
        """Interrupt the running cell; a second call kills the kernel at once."""
        if self._kernel is None:
            raise KeyboardInterrupt
        if self.state is not None:
            self._signal(signal.SIGKILL)
            return
        self.state = state
        self._signal(signal.SIGINT)
        self._start_timer(self._grace, lambda: self._signal(signal.SIGKILL))

    def check(self) -> None:
        """Raise Stopped if the lab is to end: between two cells there is nothing to interrupt."""
        if self.state is not None:
            raise Stopped

    def allow_clean_up(self) -> None:
        """Give the clean-up cell a grace period of its own."""
        self._start_timer(self._grace, lambda: self._signal(signal.SIGKILL))

    def release(self) -> None:
        """The kernel is gone."""
        self._kernel = None
        if self._timer:
            self._timer.cancel()

    def _start_timer(self, seconds: float, action: Callable[[], None]) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, action)
        self._timer.daemon = True
        self._timer.start()

    def _signal(self, signum: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it may end by itself at this very moment
            group = self._kernel.process_group() if self._kernel else None
            if group is not None:
                os.killpg(group, signum)
