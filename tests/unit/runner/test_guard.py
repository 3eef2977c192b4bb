"""The guard ends processes politely, then for good."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from lab_utils.runner.guard import Guard, Stopped
from lab_utils.runner.results import State

POLITE = "import time; print(flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(60)"


class Process:
    """A process in a group of its own, as a kernel is."""

    def __init__(self, program: str) -> None:
        command = [sys.executable, "-c", program]
        self.popen = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert self.popen.stdout
        self.popen.stdout.readline()  # it has begun

    def process_group(self) -> int | None:
        return os.getpgid(self.popen.pid) if self.popen.poll() is None else None

    def end(self) -> int:
        return self.popen.wait(timeout=10)


@pytest.fixture
def start() -> Iterator[Callable[[str], Process]]:
    processes: list[Process] = []

    def begin(program: str) -> Process:
        processes.append(Process(program))
        return processes[-1]

    yield begin
    for process in processes:
        process.popen.kill()
        process.end()


def test_stop_interrupts(start: Callable[[str], Process]) -> None:
    process, guard = start(POLITE), Guard()
    guard.watch(process)
    guard.stop(State.INTERRUPTED)
    assert process.end() == -signal.SIGINT
    guard.release()


def test_what_ignores_the_interrupt_is_killed_after_the_grace(start: Callable[[str], Process]) -> None:
    process, guard = start(STUBBORN), Guard(grace=0.1)
    guard.watch(process)
    guard.stop(State.INTERRUPTED)
    assert process.end() == -signal.SIGKILL


def test_a_second_stop_kills_at_once(start: Callable[[str], Process]) -> None:
    process, guard = start(STUBBORN), Guard(grace=60)
    guard.watch(process)
    guard.stop(State.INTERRUPTED)
    guard.stop(State.INTERRUPTED)
    assert process.end() == -signal.SIGKILL
    guard.release()


def test_the_time_out_stops(start: Callable[[str], Process]) -> None:
    process, guard = start(POLITE), Guard(timeout=0.1)
    guard.watch(process)
    guard.start_clock()
    assert process.end() == -signal.SIGINT
    assert guard.state is State.TIMEOUT
    guard.release()


def test_release_calls_the_time_out_off(start: Callable[[str], Process]) -> None:
    process, guard = start(POLITE), Guard(timeout=0.1)
    guard.watch(process)
    guard.start_clock()
    guard.release()
    with pytest.raises(subprocess.TimeoutExpired):
        process.popen.wait(timeout=0.3)


def test_between_cells_a_stop_raises(start: Callable[[str], Process]) -> None:
    process, guard = start(POLITE), Guard()
    guard.watch(process)
    guard.check()
    guard.stop(State.TIMEOUT)
    with pytest.raises(Stopped):
        guard.check()
    guard.release()


def test_without_a_kernel_a_stop_is_a_plain_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        Guard().stop(State.INTERRUPTED)
