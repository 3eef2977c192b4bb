import os
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from lab_utils import browse, figures, palette
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError

mpl.use("agg")
XYWH = ["xmin", "ymin", "width", "height"]


@pytest.fixture
def dataset(tmp_path):
    for i in range(6):
        Image.new("RGB", (120, 80), (20 * i, 90, 90)).save(tmp_path / f"{i}.png")
    images = pd.DataFrame(
        {"image_id": range(6), "file_name": [f"{i}.png" for i in range(6)], "width": 120, "height": 80}
    )
    boxes = pd.DataFrame(
        [[0, 0, 10, 10, 40, 30], [1, 1, 60, 40, 4, 4], [2, 2, 90, 2, 25, 60], [2, 0, 5, 5, 20, 20]],
        columns=["image_id", "class_id", *XYWH],
    )
    return DetectionDataset.from_frames(images, boxes, ["mast", "signal (3)", "lamp"], root=tmp_path)


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_samples_show_every_class_and_its_boxes(dataset):
    figure = figures.show_samples(dataset, n=3)
    assert isinstance(figure, Figure)
    shown = {axis.get_title()[0]: axis for axis in figure.axes}
    assert len(shown) == 3
    assert sorted(texts(shown["2"])) == ["lamp", "mast"]
    assert texts(shown["1"]) == ["signal"]
    box = shown["2"].patches[0]
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (90, 2, 25, 60)
    assert mpl.colors.to_hex(box.get_edgecolor()) == palette.colour(2).lower()


def test_a_small_box_is_enlarged(dataset):
    first = figures.show_samples(dataset.subset([0]), n=1).axes[0]
    small = figures.show_samples(dataset.subset([1]), n=1).axes[0]
    assert len(first.child_axes) == 0
    left, right = small.child_axes[0].get_xlim()
    assert left < 60 < 64 < right
    assert right - left < 20


def test_sampling_is_seeded_and_bounded(dataset):
    assert figures.sample(dataset, 4, seed=1) == figures.sample(dataset, 4, seed=1)
    assert sorted(figures.sample(dataset, 99)) == list(range(6))
    with pytest.raises(DataError, match="no images"):
        figures.sample(dataset.subset([]), 3)


def test_compare_samples_puts_detections_beside_the_truth(dataset):
    found = pd.DataFrame(
        [[0, 0, 0.9, 11, 11, 40, 30], [0, 2, 0.2, 1, 1, 9, 9]], columns=["image_id", "class_id", "score", *XYWH]
    )
    left, right = figures.compare_samples(dataset, found, n=1, minimum_score=0.5).axes
    assert (left.get_title(), right.get_title()) == ("ground truth: 1", "detected: 1")
    assert (texts(left), texts(right)) == (["mast"], ["mast 0.90"])
    assert figures.compare_samples(dataset, found[:0], n=1).axes[1].get_title() == "detected: 0"


def test_labels_stay_inside_the_picture(dataset):
    axis = figures.show_samples(dataset.subset([2]), n=1, width=6).axes[0]
    lamp = next(text for text in axis.texts if text.get_text() == "lamp")
    assert lamp.get_ha() == "right"
    assert lamp.get_va() == "top"  # the box touches the upper edge


def test_crowded_pictures_are_not_covered_with_names(dataset):
    many = pd.concat([dataset.boxes[:1]] * 9)
    _, axis = plt.subplots()
    axis.imshow(np.zeros((80, 120)))
    figures.draw_boxes(axis, many.assign(crowd=True), dataset.classes)
    assert texts(axis) == []
    assert len(axis.patches) == 9
    assert axis.patches[0].get_linestyle() == "--"
    plt.close()


def test_summary_of_one_set_and_of_splits(dataset):
    balance = figures.summary(dataset).axes[0]
    assert [bar.get_width() for bar in balance.patches] == [2, 1, 1]
    parts = {"training": dataset.subset([0, 1]), "test": dataset.subset([2, 3])}
    shares = figures.summary(parts).axes[0]
    assert [round(bar.get_width()) for bar in shares.patches] == [50, 50, 0, 50, 0, 50]
    assert figures.summary(dataset.subset([3])).axes  # negatives alone


def test_contact_sheet_holds_frames_and_boxes(dataset):
    sheet = figures.contact_sheet(dataset.subset([0]), 2, 1, width=120)
    assert sheet.size == (2 * 124 + 4, 84 + 4)
    assert sheet.getpixel((4 + 10 - 2, 4 + 20)) == (0xE6, 0x9F, 0x00)  # the box's left edge


def test_figures_do_not_pile_up(dataset):
    before = plt.get_fignums()
    figures.summary(dataset)
    figures.show_samples(dataset, n=2)
    assert plt.get_fignums() == before


def test_colours_differ_and_labels_read_on_them():
    assert len({palette.colour(i) for i in range(7)}) == 7
    assert palette.ink(palette.colour(6)) == "black"
    assert palette.ink(palette.colour(5)) == "white"


def test_without_a_front_end_browse_is_a_figure(dataset):
    assert not browse.is_live()
    assert isinstance(browse.browse(dataset), Figure)
    found = dataset.boxes.assign(score=0.9)
    assert len(browse.browse(dataset, found).axes) >= 6


def test_the_browser_follows_slider_and_class(dataset, monkeypatch):
    pytest.importorskip("ipywidgets")
    monkeypatch.setattr(browse, "is_live", lambda: True)
    controls, caption, picture = browse.browse(dataset).children
    slider, classes = controls.children
    assert slider.max == 5
    first = bytes(picture.value)
    assert first.startswith(b"\x89PNG")
    slider.value = 2
    assert caption.value.startswith("3 of 6: 2.png")
    assert bytes(picture.value) != first
    classes.value = "signal (3)"
    assert caption.value.startswith("1 of 1: 1.png")
    classes.value = "all classes"
    assert (slider.max, slider.value) == (5, 0)


def test_the_browser_draws_detections_from_a_score_on(dataset, monkeypatch):
    pytest.importorskip("ipywidgets")
    monkeypatch.setattr(browse, "is_live", lambda: True)
    found = dataset.boxes.assign(score=0.4)
    controls, _, picture = browse.browse(dataset, found, minimum_score=0.5).children
    _, classes, score = controls.children
    classes.value = "signal (3)"
    without = bytes(picture.value)
    assert score.value == 0.5
    score.value = 0.4
    assert bytes(picture.value) != without


def test_importing_the_data_modules_loads_no_plotting():
    code = (
        "import sys, lab_utils.browse, lab_utils.metrics, lab_utils.validation, lab_utils.splits\n"
        "print([m for m in ('matplotlib', 'PIL', 'hotcoco', 'ipywidgets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.strip() == "[]"
