"""Lab 01 as an attendee runs it: JupyterLab in a browser, Run All Cells."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from servers import free_port, wait_for

import local_sagemaker

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOK = "01_detectron2_detection.ipynb"
TIMEOUT = 600  # seconds for the whole notebook, a first build of the image's environment included
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SETTINGS = {  # of JupyterLab: ask nobody whether there are news, and nobody whether to look for some
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},  # the test saves, and knows when it is done
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A JupyterLab on a copy of the labs, with nothing of this user's own: its URL and the notebook."""
    folder = tmp_path_factory.mktemp("jupyter")
    labs = folder / "labs"
    labs.mkdir()
    shutil.copyfile(PROJECT / "labs" / NOTEBOOK, labs / NOTEBOOK)
    overrides = folder / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTINGS))
    port = free_port()
    options = [f"--ServerApp.port={port}", "--IdentityProvider.token=", "--no-browser", "--allow-root"]
    with (folder / "jupyter.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", "--ServerApp.ip=127.0.0.1", *options, f"--notebook-dir={labs}"],
            env=_environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api/status")
        yield url, labs / NOTEBOOK
    finally:
        _end(server)
        local_sagemaker.stop(folder / "home" / "sagemaker")


@pytest.fixture
def page(jupyter: tuple[str, Path]) -> Iterator[Any]:
    """A page of a headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="install the extra 'browser'")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=CHROMIUM)
        try:
            yield browser.new_page(viewport={"width": 1400, "height": 1000})
        finally:
            browser.close()


def test_run_all_shows_every_output_and_saves_without_an_error_cell(page: Any, jupyter: tuple[str, Path]) -> None:
    url, notebook = jupyter
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    try:
        _open(page, url)
        _run_all(page)
        cells = _save_until_all_ran(page, notebook)
        shown = _show_all(page)
    finally:
        shots = PROJECT / "build" / "browser"
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / "lab01.png")
    errors = [output["evalue"] for output in _outputs(cells) if output["output_type"] == "error"]
    assert not errors
    assert shown["broken"] == []
    assert shown["pictures"] == sum("image/png" in output.get("data", {}) for output in _outputs(cells)) > 0
    assert hosts <= {"127.0.0.1", None}, "the page asked another machine"  # None: data: and blob: URLs


def _environment(folder: Path) -> dict[str, str]:
    ours = {"LABS_PROFILE": "smoke", "LABS_HOME": folder / "home", "IPYTHONDIR": folder / "ipython"}
    ours |= {f"JUPYTER_{kind.upper()}_DIR": folder / kind for kind in ("config", "data", "runtime")}
    rest = {name: value for name, value in os.environ.items() if name != "LABS_WORKSPACE"}
    return rest | {name: str(value) for name, value in ours.items()}


def _end(server: subprocess.Popen) -> None:
    server.terminate()  # JupyterLab ends its kernels first
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _open(page: Any, url: str) -> None:
    """Open the notebook and wait until it can be saved and run.

    JupyterLab draws the cells earlier: until the file is loaded it calls the document read-only, and until there is
    a kernel it calls its state idle, but asks for a kernel when cells are run.
    """
    page.goto(f"{url}/lab/tree/{NOTEBOOK}?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector("[data-command='docmanager:save'][aria-disabled='false']", timeout=60_000)
    page.wait_for_selector(".jp-KernelName:has-text('Python 3')", timeout=60_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=60_000)


def _run_all(page: Any) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def _save_until_all_ran(page: Any, notebook: Path) -> list[dict[str, Any]]:
    """Save now and then until every code cell has run (or one failed); return the code cells as saved."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        page.wait_for_timeout(1000)
        with page.expect_response(lambda r: r.request.method == "PUT" and NOTEBOOK in r.url) as saved:
            page.locator("[data-command='docmanager:save']").first.click()
        assert saved.value.ok, f"saving answered {saved.value.status}"
        cells = [c for c in json.loads(notebook.read_text())["cells"] if c["cell_type"] == "code"]
        failed = any(output["output_type"] == "error" for output in _outputs(cells))
        if failed or all(cell["execution_count"] for cell in cells):
            return cells
    raise TimeoutError(f"the notebook did not finish in {TIMEOUT} s")


def _show_all(page: Any) -> dict[str, Any]:
    """Make the page as high as the notebook, for cells out of sight are not drawn; count what the outputs show."""
    page.set_viewport_size({"width": 1400, "height": 9000})
    page.evaluate("document.querySelector('.jp-Notebook .jp-WindowedPanel-outer').scrollTop = 0")
    page.wait_for_timeout(3000)
    return page.evaluate(
        """() => {
            const areas = [...document.querySelectorAll('.jp-Notebook .jp-OutputArea-output')];
            const pictures = areas.flatMap(area => [...area.querySelectorAll('img')]);
            const text = areas.map(area => area.innerText).filter(text => /(displaying|Loading) widget/.test(text));
            const lost = pictures.filter(picture => !picture.naturalWidth).map(picture => picture.alt || 'picture');
            return {pictures: pictures.length, broken: [...text, ...lost]};
        }"""
    )


def _outputs(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output for cell in cells for output in cell["outputs"]]
