"""Container processes: output, endings, what they leave behind."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from local_sagemaker.jobs.process import ContainerProcess, Lines, Outcome, kill_strays


def start(code: str, folder: Path) -> ContainerProcess:
    environ = {"SAGEMAKER_BASE_DIR": str(folder / "opt"), "PYTHONUNBUFFERED": "1"}
    return ContainerProcess([sys.executable, "-S", "-c", code], environ, folder)


def run(code: str, folder: Path, stop: threading.Event | None = None, **options: float) -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    outcome = start(code, folder).run(lines.extend, stop or threading.Event(), **options)
    return outcome, lines


def test_output_and_exit_code(tmp_path: Path) -> None:
    code = "import sys; print('out'); sys.stderr.write('err\\nno end'); sys.exit(3)"
    assert run(code, tmp_path) == (Outcome(3, "exited"), ["out", "err", "no end"])


def test_many_lines_keep_their_order(tmp_path: Path) -> None:
    outcome, lines = run("for i in range(30000): print(i)", tmp_path)
    assert outcome.exit_code == 0
    assert lines == [str(number) for number in range(30000)]


def test_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    outcome, _ = run("import time; time.sleep(60)", tmp_path, stop)
    assert outcome == Outcome(-signal.SIGTERM, "stopped")


def test_timeout_of_a_program_that_ignores_sigterm(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    started = time.monotonic()
    outcome, lines = run(code, tmp_path, timeout=0.3, grace=0.3)
    assert outcome == Outcome(-signal.SIGKILL, "timeout")
    assert time.monotonic() - started < 5
    assert lines in (["deaf"], [])  # a busy machine may kill it before it speaks


def test_a_program_that_closes_its_output_is_still_watched(tmp_path: Path) -> None:
    outcome, _ = run("import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(5)", tmp_path)
    assert outcome == Outcome(5, "exited")


@pytest.mark.parametrize("options", ["", ", start_new_session=True"])
def test_children_end_with_it(tmp_path: Path, options: str) -> None:
    code = f"import subprocess; print(subprocess.Popen(['sleep', '333']{options}).pid)"
    _, lines = run(code, tmp_path)
    pid = int(lines[0])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ContainerProcess(["/no/such/program"], {}, tmp_path)


def test_strays_of_another_folder_stay(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir(), other.mkdir()
    process = start("import time; time.sleep(60)", other)
    try:
        assert kill_strays(own) == 0
        assert process.alive
        assert kill_strays(other) == 1
    finally:
        process.signal(signal.SIGKILL)
        os.waitpid(process.pid, 0)


def test_lines_across_chunks() -> None:
    lines = Lines()
    assert lines.feed(b"a\nb") == ["a"]
    assert lines.feed(b"c\r\n\xff\n") == ["bc", "\ufffd"]
    assert lines.feed(b"tail") == []
    assert lines.rest() == ["tail"]
    assert lines.rest() == []


def test_an_endless_line_is_cut() -> None:
    assert [len(line) for line in Lines().feed(b"x" * 300_000)] == [300_000]


def test_a_failing_listener_ends_the_program(tmp_path: Path) -> None:
    """A log that cannot be written (a full disk) must not leave the program running."""

    def full(lines: list[str]) -> None:
        raise OSError("no space left")

    process = start("import time; print('x'); time.sleep(60)", tmp_path)
    with pytest.raises(OSError, match="no space left"):
        process.run(full, threading.Event())
    assert not process.alive
