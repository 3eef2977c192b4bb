"""The command `labs`: what it checks before anything runs, what it prints, how it exits."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from notebooks.make import code

from lab_utils import paths
from lab_utils.cli import main
from lab_utils.runner import results, run
from lab_utils.runner.results import Result, State

HEAVY = {"boto3", "jinja2", "matplotlib", "nbformat", "numpy", "pandas", "papermill", "sagemaker"}
HANG = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"


@pytest.fixture
def project(tmp_path: Path, add_lab: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two labs and one image; the current folder."""
    about = {"title": "Prepare the data", "minutes": {"smoke": 1, "laptop": 2, "full": 30}, "image": None}
    (tmp_path / "labs").mkdir()
    add_lab(tmp_path / "labs", "00_dataset", code("1"), **about)
    add_lab(tmp_path / "labs", "01_detectron2", code("1"), image="detectron2")
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "images.toml").write_text('[images.detectron2]\npython = "3.11"\n')
    monkeypatch.setattr(paths, "project", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[run.Plan]:
    """The plans that would have been run; every lab passes."""
    seen: list[run.Plan] = []

    def fake(plan: run.Plan) -> list[Result]:
        seen.append(plan)
        return [Result(lab.name, State.PASSED, "", plan.profile, plan.backend) for lab in plan.labs]

    monkeypatch.setattr(run, "run", fake)
    return seen


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom lab_utils.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print(sorted(set(sys.modules) & {HEAVY!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "COMMAND" in done.stdout


def test_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["lab", "title", "smoke", "min", "laptop", "min", "full", "min", "image"]
    assert rows[1] == ["00", "Prepare", "the", "data", "1", "2", "30", "–"]
    assert rows[2] == ["01", "detectron2", "–", "–", "–", "detectron2"]


def test_run_passes_everything_on(project: Path, plans: list[run.Plan]) -> None:
    arguments = ["run", "01", "--profile", "smoke", "-p", "seed=3", "--fresh", "--timeout", "2", "--out", "elsewhere"]
    assert main(arguments) == 0
    plan = plans[0]
    assert [lab.number for lab in plan.labs] == ["01"]
    assert plan.values(plan.labs[0]) == {"profile": "smoke", "backend": "local", "seed": 3}
    assert (plan.fresh, plan.timeout, plan.out) == (True, 120, project / "elsewhere")


def test_run_defaults(project: Path, plans: list[run.Plan]) -> None:
    assert main(["run"]) == 0
    plan = plans[0]
    assert [lab.number for lab in plan.labs] == ["00", "01"]
    assert (plan.profile, plan.backend, plan.fresh) == ("laptop", "local", False)
    assert plan.out == project / "build" / "report"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run 07", "unknown lab 07"),
        ("run -p sead=1", "unknown parameter 'sead': expected one of dataset, seed"),
        ("run -p seed=x", "-p seed=x: expected int"),
        ("run -p dataset=voc:nowhere", "no such file or folder"),
        ("run --labs nowhere", "nowhere: no labs here"),
        ("images build torch", "unknown image 'torch': expected one of detectron2"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_runs(
    arguments: str, said: str, project: Path, plans: list[run.Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("labs: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err
    assert (captured.out, plans) == ("", [])


@pytest.mark.parametrize(
    "arguments", ["", "run --profile huge", "run --timeout 0", "run --timeout x", "run --backend gcp"]
)
def test_a_wrong_option_exits_2(arguments: str, project: Path, plans: list[run.Plan]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments.split())
    assert exit_.value.code == 2
    assert plans == []


@pytest.fixture
def no_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any AWS settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return monkeypatch


@pytest.mark.parametrize(("settings", "said"), [({}, "region"), ({"AWS_DEFAULT_REGION": "eu-west-1"}, "credentials")])
def test_aws_needs_region_and_credentials(
    settings: dict[str, str],
    said: str,
    no_aws: pytest.MonkeyPatch,
    project: Path,
    plans: list[run.Plan],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in settings.items():
        no_aws.setenv(name, value)
    assert main(["run", "--backend", "aws"]) == 2
    assert capsys.readouterr().err.startswith(f"labs: no AWS {said}")
    assert plans == []


def test_aws_with_both_runs(no_aws: pytest.MonkeyPatch, project: Path, plans: list[run.Plan]) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        no_aws.setenv(name, "eu-west-1")
    assert main(["run", "--backend", "aws"]) == 0
    assert plans[0].backend == "aws"


@pytest.mark.parametrize(("state", "code_"), [(State.FAILED, 1), (State.EMPTY, 1), (State.INTERRUPTED, 130)])
def test_exit_codes(state: State, code_: int, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run", lambda plan: [Result("00", state, "", "smoke", "local")])
    assert main(["run"]) == code_


def test_server_commands(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LABS_WORKSPACE", str(project / "ws"))
    assert [main([command]) for command in ("up", "status", "down", "status")] == [0, 0, 0, 0]
    printed = capsys.readouterr().out
    assert re.fullmatch(
        r"(running at http://127\.0\.0\.1:\d+ \(process \d+\)\n){2}"
        rf"workspace {project}/ws\nno jobs, no endpoints\nstopped\n"
        rf"not running\nworkspace {project}/ws\nno jobs, no endpoints\n",
        printed,
    )


def test_a_server_that_cannot_start(project: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("LABS_WORKSPACE", str(project / "labs" / "00_dataset.ipynb"))
    assert main(["up"]) == 2
    assert re.fullmatch(r"labs: workspace .*: .*\n", capsys.readouterr().err)


def test_ctrl_c_cleans_up_and_reports(project: Path, add_lab: Callable[..., Path]) -> None:
    folder = project / "labs"
    add_lab(folder, "00_dataset", code(HANG))
    program = (
        "import sys; from pathlib import Path; from lab_utils import cli, paths\n"
        f"paths.project = lambda: Path({str(project)!r})\n"
        "sys.exit(cli.main(['run', '--profile', 'smoke']))"
    )
    command = subprocess.Popen([sys.executable, "-uc", program], stdout=subprocess.PIPE, text=True)
    assert command.stdout
    assert "step 1/1 Work" in command.stdout.readline()
    wait_for(folder / "pid")
    command.send_signal(signal.SIGINT)
    out, _ = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "INTERRUPTED" in out.splitlines()[0]
    assert (folder / "smoke.cleaned").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)
    kept = results.load(project / "build" / "report" / "results.json")
    assert kept["00_dataset"].state is State.INTERRUPTED
    assert "Not run: detectron2." in (project / "build" / "report" / "index.html").read_text()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.05)


def test_a_missing_package_names_the_install(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lab_utils.cli.labs.find_spec", lambda name: None)
    assert main(["run"]) == 2
    assert "papermill is missing: install it with pip install" in capsys.readouterr().err
