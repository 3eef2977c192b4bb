"""How a program under the contract ends: exit codes, the failure file, SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sagemaker_contract import Environment, StopRequest, UserError, run
from sagemaker_contract.program import write_failure

CONTRACT = Path(__file__).parents[3] / "containers/common"


@pytest.fixture
def in_base(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The process' SAGEMAKER_BASE_DIR; the test's own SIGTERM handling comes back afterwards."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    return base


def raising(error: Exception) -> Callable[[Environment, StopRequest], None]:
    def main(environment: Environment, stop: StopRequest) -> None:
        raise error

    return main


def test_success_leaves_no_failure(in_base: Path) -> None:
    seen = []
    assert run(lambda environment, stop: seen.append(environment.base)) == 0
    assert seen == [in_base]
    assert not (in_base / "output/failure").exists()


def test_a_users_mistake_is_one_line_and_exit_code_2(in_base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(raising(UserError("no picture a.png"))) == 2
    assert (in_base / "output/failure").read_text() == "no picture a.png"
    assert capsys.readouterr().err == "error: no picture a.png\n"


def test_a_processing_jobs_reason_goes_where_sagemaker_looks_for_it(in_base: Path) -> None:
    assert run(raising(UserError("no video a.mp4")), processing=True) == 2
    assert (in_base / "output/message").read_text() == "no video a.mp4"
    assert not (in_base / "output/failure").exists()


def test_a_frameworks_failure_is_exit_code_1_with_its_traceback(in_base: Path) -> None:
    assert run(raising(ZeroDivisionError("oh"))) == 1
    reason = (in_base / "output/failure").read_text()
    assert reason.startswith("ZeroDivisionError: oh\n\nTraceback")


def test_a_broken_configuration_is_a_users_mistake(in_base: Path) -> None:
    (in_base / "input/config/resourceconfig.json").write_text("?")
    assert run(raising(AssertionError())) == 2
    assert "resourceconfig.json" in (in_base / "output/failure").read_text()


def test_the_reason_is_cut_and_the_first_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "output/failure"
    write_failure(path, "é" * 2000)
    write_failure(path, "later")
    assert path.read_text() == "é" * 1024
    assert [file.name for file in path.parent.iterdir()] == ["failure"]


def test_sigterm_ends_a_program_in_order(base: Path) -> None:
    code = (
        "import sys, time\nfrom sagemaker_contract import run\n"
        "def main(environment, stop):\n"
        "    stop.forward = lambda: print('forwarded', flush=True)\n"
        "    print('ready', flush=True)\n"
        "    while not stop: time.sleep(0.01)\n"
        "    print('kept', flush=True)\n"
        "sys.exit(run(main))"
    )
    variables = {**os.environ, "PYTHONPATH": str(CONTRACT), "SAGEMAKER_BASE_DIR": str(base)}
    with subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=10)
    assert (process.returncode, rest) == (0, "forwarded\nkept\n")
