"""Every lab's cells run one by one in the smoke profile (nbval); stored outputs are not compared."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from notebooks import form
from notebooks.make import code, write

import local_sagemaker

PROJECT = Path(__file__).resolve().parents[2]
CELL_SECONDS = 600


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Data and an embedded SageMaker of the tests' own, which ends with them."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABS_HOME", str(folder))
        patch.delenv("LABS_WORKSPACE", raising=False)
        yield
    local_sagemaker.stop(folder / "sagemaker")


def nbval(path: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook's cells as tests, in this interpreter and in the notebook's folder."""
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}", "--exitfirst"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options, path]
    kernels = str(Path(sys.prefix, "share", "jupyter"))  # ahead of a kernel that the user installed
    environment = {**os.environ, "LABS_PROFILE": "smoke", "JUPYTER_PATH": kernels}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)


@pytest.mark.environment
@pytest.mark.parametrize("path", form.labs(PROJECT / "labs"), ids=lambda path: path.stem)
def test_lab_runs_in_the_smoke_profile(path: Path) -> None:
    done = nbval(path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def test_a_cell_that_fails_fails_the_smoke_run(tmp_path: Path) -> None:
    source = "import os\nassert os.environ['LABS_PROFILE'] == 'smoke'\nraise ValueError('broken on purpose')"
    done = nbval(write(tmp_path, "00_broken", code(source)))
    assert done.returncode == 1
    assert "broken on purpose" in done.stdout
