import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lab_utils import augmentation


@pytest.fixture
def preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> augmentation.Preview:
    """What a job wrote of two pictures."""
    samples = []
    for picture in (0, 1):
        for step, count in (("original", 1), ("flip", 2), ("together", 2)):
            for turn in range(count):
                file = f"{picture}-{step}-{turn}.png"
                Image.fromarray(np.full((40, 60, 3), 90 * picture + 20 * turn, np.uint8)).save(tmp_path / file)
                box = [10.0, 5.0, 30.0, 20.0, 1]
                samples.append({"picture": picture, "step": step, "file": file, "boxes": [box]})
    told = {"classes": ["a", "b"], "steps": ["original", "flip", "together"], "samples": samples}
    (tmp_path / "preview.json").write_text(json.dumps(told))
    return augmentation.read(tmp_path)


def test_boxes_become_corner_and_size(preview: augmentation.Preview) -> None:
    boxes = preview.samples["boxes"].iloc[0].to_dict("records")
    assert boxes == [{"xmin": 10.0, "ymin": 5.0, "width": 20.0, "height": 15.0, "class_id": 1}]
    assert preview.steps == ("flip", "together")


def test_the_figure_has_a_row_a_step_that_begins_with_the_original(preview: augmentation.Preview) -> None:
    axes = preview.figure(1).axes
    assert len(axes) == 2 * 3
    levels = [int(axis.images[0].get_array()[0, 0, 0]) for axis in axes]
    assert levels == [90, 90, 110] * 2
    assert all(len(axis.patches) == 1 for axis in axes)
    assert len(preview.figure(0, "flip").axes) == 3


def test_without_a_front_end_it_is_the_figure(preview: augmentation.Preview) -> None:
    assert len(preview.explore().axes) == 6


def test_the_widget_draws_what_is_chosen(preview: augmentation.Preview) -> None:
    pytest.importorskip("ipywidgets")
    controls, shown = preview._widget().children
    before = shown.value
    controls.children[0].value = 1
    assert shown.value != before
    controls.children[1].value = "flip"
    with Image.open(io.BytesIO(shown.value)) as picture:
        assert picture.height < 400
