"""The runner on real kernels: every way in which a lab can end."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from notebooks.make import PARAMETERS, code, write
from unit.runner.conftest import PLOT

from lab_utils.runner import results
from lab_utils.runner.results import Result, State
from lab_utils.runner.run import Plan, run

GATE = "from lab_utils.gates import gate\ngate('AP50', 0.61, minimum=0.85)"
HANG = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"
WHERE = "import sys, os\nprint(sys.executable, os.getcwd(), seed, backend, sep='|')"


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, add_lab: Callable[..., Path], monkeypatch_module: pytest.MonkeyPatch
) -> Path:
    folder = tmp_path_factory.mktemp("labs {with braces}")
    add_lab(folder, "00_good", code(WHERE), code(PLOT))
    add_lab(folder, "01_raises", code("1"), code("def f():\n    raise ValueError('no\\nboxes')\nf()"))
    add_lab(folder, "02_dies", code("import os\nos._exit(3)"))
    add_lab(folder, "03_gate", code(GATE, "gate"))
    write(folder, "04_empty", code(PARAMETERS, "parameters"))
    # a kernel of the user's that shadows ours and cannot start
    spec = folder / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["false"], "display_name": "broken", "language": "python"}')
    monkeypatch_module.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    return folder


@pytest.fixture(scope="module")
def monkeypatch_module() -> pytest.MonkeyPatch:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def plan(folder: Path, plan_for: Callable[..., Plan]) -> Plan:
    return plan_for(folder, parameters={"00_good": {"seed": 5}})


@pytest.fixture(scope="module")
def ended(plan: Plan, lines: io.StringIO) -> dict[str, Result]:
    return {result.lab: result for result in run(plan, lines)}


def test_states(ended: dict[str, Result]) -> None:
    assert [result.state for result in ended.values()] == ["PASSED", "FAILED", "DIED", "FAILED", "EMPTY"]


def test_the_kernel_is_this_interpreter_in_the_labs_folder(ended: dict[str, Result], plan: Plan) -> None:
    cells = json.loads(plan.notebook(plan.labs[0]).read_text())["cells"]
    said = next(o["text"] for c in cells for o in c.get("outputs", []) if o["output_type"] == "stream")
    assert "".join(said).strip() == f"{sys.executable}|{plan.labs[0].path.parent}|5|local"


@pytest.mark.parametrize(
    ("lab", "reason"),
    [
        ("01_raises", "cell [4], step 1 Work: ValueError: no"),
        ("02_dies", "cell [3], step 1 Work: the kernel died (exit code 3)"),
        ("03_gate", "cell [3], step 1 Work: GateError: gate AP50: 0.61, expected ≥ 0.85"),
        ("04_empty", "no cell did any work"),
    ],
)
def test_the_reason_is_one_line_with_its_place(
    lab: str, reason: str, ended: dict[str, Result], lines: io.StringIO
) -> None:
    assert str(ended[lab].failure) == reason
    assert any(line.endswith(reason) for line in lines.getvalue().splitlines())


def test_the_failing_cell_is_in_the_executed_notebook(ended: dict[str, Result], plan: Plan) -> None:
    for lab in plan.labs[1:4]:
        page = plan.notebook(lab).with_suffix(".html").read_text()
        assert f'id="cell-id={ended[lab.name].failure.cell_id}"' in page


def test_gates_are_collected_whether_met_or_missed(ended: dict[str, Result]) -> None:
    assert [(gate["name"], gate["passed"]) for gate in ended["03_gate"].gates] == [("AP50", False)]


def test_a_failed_lab_cleans_up(ended: dict[str, Result], folder: Path) -> None:
    assert (folder / "smoke.cleaned").exists()


def test_no_half_written_file_is_left(ended: dict[str, Result], plan: Plan) -> None:
    assert not [path for path in plan.out.iterdir() if path.suffix == ".tmp"]
    passed = {name for name, result in ended.items() if result.state is State.PASSED}
    assert not passed & {log.name.removesuffix(".kernel.log") for log in plan.out.glob("*.kernel.log")}


def test_what_passed_is_not_run_again(ended: dict[str, Result], plan: Plan) -> None:
    good = Plan(**{**vars(plan), "labs": plan.labs[:1]})
    stamp = plan.notebook(plan.labs[0]).stat().st_mtime_ns
    stream = io.StringIO()
    again = run(good, stream)
    assert again[0].cached
    assert again[0].seconds == ended["00_good"].seconds
    assert plan.notebook(plan.labs[0]).stat().st_mtime_ns == stamp
    assert "PASSED (cached)" in stream.getvalue()
    assert set(results.load(plan.out / "results.json")) == set(ended)  # the others' results are kept


def test_an_interrupt_on_time_out_lets_the_lab_clean_up(
    tmp_path: Path, add_lab: Callable[..., Path], plan_for: Callable[..., Plan]
) -> None:
    add_lab(tmp_path, "00_hangs", code(HANG), code("1"))
    result = run(plan_for(tmp_path, timeout=1.5), io.StringIO())[0]
    assert result.state is State.TIMEOUT
    assert str(result.failure) == "cell [3], step 1 Work: no end after 0.025 min"
    assert (tmp_path / "smoke.cleaned").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
