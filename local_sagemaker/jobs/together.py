"""The programs of a job's hosts: started together, and together ended when one fails or the job stops."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local_sagemaker.jobs.process import Outcome

_TICK = 0.1  # seconds between looks at the job's stop event
_NO_HOST = -1
_GRACE = 5.0  # seconds that the other hosts have to end after one has failed


@dataclass(frozen=True)
class Program:
    """What runs on one host: ``run`` ends when its event is set, ``kill`` ends it at once."""

    run: Callable[[threading.Event], Outcome]
    kill: Callable[[], None]


class Together:
    """Runs the programs of all hosts of one job."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop, self._halt = stop, threading.Event()
        self._ended: queue.SimpleQueue[tuple[int, Outcome | BaseException]] = queue.SimpleQueue()
        self._running: set[int] = set()
        self._decisive: tuple[int, Outcome] | None = None
        self._error: BaseException | None = None
        self._kill_at = float("inf")

    def fail(self, error: BaseException) -> None:
        """Let the job end with this error, from whatever thread."""
        self._ended.put((_NO_HOST, error))

    def run(self, programs: Sequence[Program]) -> tuple[int, Outcome]:
        """Run all; the number and outcome of the host that decides: the first that failed, else the last that ended.

        Raises what a program raised, or what `fail` was told, once all have ended.
        """
        self._running = set(range(len(programs)))
        for number, program in enumerate(programs):
            threading.Thread(target=self._one, args=(number, program), name=f"host {number}", daemon=True).start()
        while self._running:
            if self._stop.is_set():
                self._halt.set()
            with contextlib.suppress(queue.Empty):
                self._note(*self._ended.get(timeout=_TICK))
            if time.monotonic() > self._kill_at:
                for number in self._running:
                    programs[number].kill()
        if self._error is not None:
            raise self._error
        assert self._decisive is not None
        return self._decisive

    def _one(self, number: int, program: Program) -> None:
        try:
            self._ended.put((number, program.run(self._halt)))
        except BaseException as error:
            self._ended.put((number, error))

    def _note(self, number: int, result: Outcome | BaseException) -> None:
        """Take down how a host ended; the first that failed makes the others end too."""
        self._running.discard(number)
        if self._kill_at < float("inf"):
            return
        if isinstance(result, BaseException):
            self._error = result
        else:
            self._decisive = (number, result)
        if isinstance(result, BaseException) or failed(result):
            self._halt.set()
            self._kill_at = time.monotonic() + _GRACE


def failed(outcome: Outcome) -> bool:
    """Whether a program ended by its own fault."""
    return outcome.cause == "memory" or (outcome.cause == "exited" and outcome.exit_code != 0)
