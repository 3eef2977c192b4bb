"""The widget that lets the mouse draw a box, in a browser and without Jupyter."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab_utils.tracking.choose import SCRIPT, _as_url

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PAGE = """<div id="place" style="width: 400px"></div><script type="module">
%s
const state = {image: %s, box: [10, 20, 30, 40]};
window.saved = null;
const model = {get: (name) => state[name], set: (name, value) => { state[name] = value; },
  save_changes: () => { window.saved = state.box; }, on: () => {}};
render({model, el: document.getElementById("place")});
</script>"""

pytestmark = pytest.mark.browser


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    frame = np.full((450, 800, 3), 90, np.uint8)
    (tmp_path / "page.html").write_text(PAGE % (SCRIPT.read_text(), json.dumps(_as_url(frame))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_page(viewport={"width": 600, "height": 500})
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_function("document.querySelector('canvas').width == 800")
        yield page
        browser.close()


def test_a_box_is_drawn_in_the_pixels_of_the_frame(page: Any) -> None:
    """The frame is shown at half its size; drawn from the lower right to the upper left."""
    place = page.locator("canvas").bounding_box()
    page.mouse.move(place["x"] + 200, place["y"] + 150)
    page.mouse.down()
    page.mouse.move(place["x"] + 150, place["y"] + 120)
    page.mouse.move(place["x"] + 100, place["y"] + 50)
    page.mouse.up()
    assert page.evaluate("window.saved") == pytest.approx([200, 100, 200, 200], abs=2)
    assert page.inner_text("#place").startswith("box: 200, 100, 200, 200")


def test_a_click_keeps_the_box_and_a_drag_beyond_the_frame_ends_at_its_edge(page: Any) -> None:
    place = page.locator("canvas").bounding_box()
    page.mouse.click(place["x"] + 50, place["y"] + 50)
    assert page.evaluate("window.saved") == [10, 20, 30, 40]
    page.mouse.move(place["x"] + 300, place["y"] + 100)
    page.mouse.down()
    page.mouse.move(place["x"] + 550, place["y"] + 400)
    page.mouse.up()
    assert page.evaluate("window.saved") == pytest.approx([600, 200, 200, 250], abs=2)
