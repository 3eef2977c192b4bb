"""The report's page and the notebooks' pages."""

import base64
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from notebooks.make import code, markdown, notebook
from PIL import Image

from lab_utils.runner import outputs, page, report
from lab_utils.runner.results import Failure, Result, State
from lab_utils.runner.run import Plan

GATE = {"name": "AP50", "value": 0.9, "minimum": 0.85, "maximum": None, "unit": "", "passed": True}


def picture(size: tuple[int, int] = (1200, 800), mode: str = "RGBA") -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": "<Figure>"}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def executed() -> dict[str, Any]:
    """A notebook with a step, three pictures, a widget and a formula."""
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "Slider(0)"}
    widget = {"output_type": "display_data", "data": view, "metadata": {}}
    described = picture() | {"metadata": {"image/png": {"alt": "A <red> lamp"}}}
    shown = code("show()") | {"outputs": [picture(), picture(), widget], "execution_count": 1}
    last = code("show()") | {"outputs": [described], "execution_count": 2}
    steps = (markdown("## Step 1: Look $x^2$"), shown, markdown("## Step 2: Predict"), last)
    made = notebook(*steps)
    made["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return made


@pytest.fixture
def written(tmp_path: Path, add_lab: Callable[..., Path], plan_for: Callable[..., Plan]) -> str:
    """The index of a run with one lab that passed, one that failed and one that was not run."""
    add_lab(tmp_path, "00_good", title="Look & see", minutes={"smoke": 1})
    add_lab(tmp_path, "01_bad", title="Train")
    add_lab(tmp_path, "02_late", title="Track")
    plan = plan_for(tmp_path)
    plan.out.mkdir()
    nbformat.write(nbformat.from_dict(executed()), plan.notebook(plan.labs[0]))
    failure = Failure(3, "cell-1", "step 1 Work", "ValueError: <script>alert(1)</script>", "line\nline")
    passed = Result("00_good", State.PASSED, "", "smoke", "local", {"seed": 1}, 30.0, gates=[GATE])
    failed = Result("01_bad", State.FAILED, "", "smoke", "local", seconds=90.0, failure=failure)
    return report.write(plan, [passed, failed]).read_text()


class Links(HTMLParser):
    """Everything that a page would load, and the pictures without alternative text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.undescribed = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get("src", given.get("href") if tag == "link" else None)
        if address is not None and not address.startswith("data:"):
            self.loaded.append(address)
        self.undescribed += tag == "img" and not given.get("alt")


def test_the_report_says_it_in_its_first_line(written: str) -> None:
    heading = re.sub(r"<[^>]+>", " ", re.search(r"<h1>(.*?)</h1>", written, re.DOTALL)[1])
    assert heading.split() == ["1", "passed", "1", "failed", "1", "not", "run"]
    assert "<title>1 passed, 1 failed · Signal Labs</title>" in written


def test_the_report_names_what_was_run_and_with_what(written: str) -> None:
    for text in ("Look &amp; see", "seed=1", "≥ 0.85", "✓ passed", "Not run: Track.", "of about 1 min", "2 min"):
        assert text in written
    for fact in ("Profile", "Backend", "Python", "SageMaker SDK"):
        assert f"<dt>{fact}</dt>" in written


def test_messages_are_escaped(written: str) -> None:
    assert "<script>" not in written
    assert "cell [3], step 1 Work: ValueError: &lt;script&gt;" in written


def test_pages_load_nothing_and_describe_every_picture(written: str, tmp_path: Path) -> None:
    for text in (written, (tmp_path / "out" / "00_good.html").read_text()):
        assert Links(text).loaded == []
        assert Links(text).undescribed == 0
        assert "url(http" not in text


def test_a_page_that_loads_something_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs.html.j2"
    theirs.write_text("{% extends 'lab/index.html.j2' %}")
    monkeypatch.setattr(page, "_TEMPLATE", theirs)
    nbformat.write(nbformat.from_dict(executed()), tmp_path / "00_good.ipynb")
    assert any("mathjax" in address for address in Links(page.write(tmp_path / "00_good.ipynb", "").read_text()).loaded)


def test_links_lead_somewhere(written: str, tmp_path: Path) -> None:
    for target in re.findall(r'<a href="([^"#]+)', written):
        assert (tmp_path / "out" / target).is_file()
    assert 'href="index.html"' in (tmp_path / "out" / "00_good.html").read_text()


def test_a_widget_is_left_out(written: str, tmp_path: Path) -> None:
    text = (tmp_path / "out" / "00_good.html").read_text()
    assert "Slider(0)" not in text
    assert "model_id" not in text


def test_pictures_are_described_by_their_step_unless_they_say_more() -> None:
    made = nbformat.from_dict(executed())
    page.prepare(made)
    alts = [o.metadata.alt for c in made.cells for o in c.get("outputs", []) if "image/png" in o.data]
    assert alts == ["Figure 1: Look $x^2$", "Figure 2: Look $x^2$", "A <red> lamp"]


def test_thumbnails_are_small_and_one_a_step() -> None:
    made = executed()
    outputs.describe_images(made)
    figures = outputs.thumbnails(made)
    assert [figure.cell_id for figure in figures] == ["cell-1", "cell-3"]
    image = Image.open(io.BytesIO(base64.b64decode(figures[0].uri.split(",")[1])))
    assert image.size == (560, 373)
    assert min(image.getpixel((5, 5))) > 250  # transparent becomes white, not black


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.21, "4.2 s"), (83, "1 min 23 s"), (240, "4 min"), (7500, "2 h 5 min"), (7200, "2 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text


@pytest.mark.parametrize(
    ("gate", "width", "marks"),
    [
        ({"value": 0.5, "minimum": 0.4}, 50, [40]),
        ({"value": 50.0, "maximum": 100.0}, 100 * 50 / 115, [100 * 100 / 115]),
        ({"value": None, "minimum": 0.4}, None, [40]),
        ({"value": -1.0, "minimum": -2.0}, None, [-200]),
        ({"value": 0.0, "maximum": 0.0}, None, [0]),
    ],
)
def test_bars_of_gates(gate: dict[str, Any], width: float | None, marks: list[float]) -> None:
    bar = report._gate({**GATE, "minimum": None, **gate})
    assert bar["width"] == pytest.approx(width) if width is not None else bar["width"] is None
    assert bar["marks"] == pytest.approx(marks)
