"""Lab 01 as an attendee runs it: JupyterLab in a browser, Run All Cells."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import free_port, wait_for

import local_sagemaker

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOK = "01_detectron2_detection.ipynb"
TIMEOUT = 600  # seconds for the whole notebook, a first build of the image's environment included
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A JupyterLab on a copy of the labs: its URL and the folder."""
    folder = tmp_path_factory.mktemp("labs")
    shutil.copy(PROJECT / "labs" / NOTEBOOK, folder)
    port = free_port()
    options = [f"--ServerApp.port={port}", "--IdentityProvider.token=", "--no-browser", "--allow-root"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", "--ServerApp.ip=127.0.0.1", *options, f"--notebook-dir={folder}"],
        env={
            **os.environ,
            "LABS_PROFILE": "smoke",
            "LABS_HOME": str(folder / ".home"),
            "JUPYTER_CONFIG_DIR": str(folder / ".config"),
        },
        stdout=(folder / "jupyter.log").open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api/status")
        yield url, folder
    finally:
        server.terminate()
        server.wait(30)
        local_sagemaker.stop(folder / ".home" / "sagemaker")


def test_run_all_finishes_without_an_error_cell(jupyter: tuple[str, Path]) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="install the extra 'browser'")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    url, folder = jupyter
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"{url}/lab/tree/{NOTEBOOK}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        cells = _run_to_the_end(page, folder / NOTEBOOK)
        shots = PROJECT / "build" / "browser"
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(shots / "lab01.png"))
        browser.close()
    errors = [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"]
    assert not errors, errors[0]["evalue"]
    assert any("image/png" in o.get("data", {}) for cell in cells for o in cell["outputs"])


def _run_to_the_end(page, file: Path) -> list[dict]:
    """Save now and then until every code cell has run (or one failed); return the code cells."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        page.locator("[data-command='docmanager:save']").first.click()
        time.sleep(2)
        cells = [c for c in json.loads(file.read_text())["cells"] if c["cell_type"] == "code"]
        failed = any(o["output_type"] == "error" for c in cells for o in c["outputs"])
        if failed or all(c["execution_count"] for c in cells):
            return cells
    raise TimeoutError(f"the notebook did not finish in {TIMEOUT} s")
