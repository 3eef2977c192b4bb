import numpy as np
import pandas as pd
import pytest
from PIL import Image
from unit.test_voc_metrics import distinct

from lab_utils import comparison, metrics
from lab_utils.dataset import DetectionDataset
from lab_utils.disagreements import disagreements, gallery
from lab_utils.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def compared():
    """A data set of twelve sequences, two models of which the second misses a third, and their comparison."""
    dataset, found = distinct(0, flags=True)
    images = dataset.images.assign(group=[f"sequence {i % 12}" for i in range(len(dataset))])
    dataset = DetectionDataset.from_frames(images, dataset.boxes, dataset.classes, name="made up")
    models = {"good": found, "worse": found.sample(frac=0.66, random_state=1)}
    return dataset, models, comparison.compare_models(dataset, models, resamples=300)


def test_values_are_those_of_evaluate(compared):
    dataset, models, result = compared
    for name, found in models.items():
        expected = metrics.evaluate(dataset, found)
        assert result.values[name] == pytest.approx({"AP50": expected.ap50, "AP": expected.ap})


def test_draws_are_those_of_sequences_evaluated_again(compared):
    dataset, models, result = compared
    counts = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), 300)
    groups = sorted(dataset.images["group"].unique())
    for draw in (0, 7):
        images, boxes, found = [], [], []
        for copy in range(counts[draw].max()):
            names = [name for name, count in zip(groups, counts[draw], strict=True) if count > copy]
            part = dataset.where(dataset.images["group"].isin(names))
            shift = copy * 1000
            images.append(part.images.assign(image_id=part.images["image_id"] + shift))
            boxes.append(part.boxes.assign(image_id=part.boxes["image_id"] + shift))
            of_part = models["good"][models["good"]["image_id"].isin(part.images["image_id"])]
            found.append(of_part.assign(image_id=of_part["image_id"] + shift))
        drawn = DetectionDataset.from_frames(pd.concat(images), pd.concat(boxes), dataset.classes)
        expected = metrics.evaluate(drawn, pd.concat(found))
        assert result.draws["good"]["AP50"][draw] == pytest.approx(expected.ap50, abs=0.004)  # copies tie in score
        assert result.draws["good"]["AP"][draw] == pytest.approx(expected.ap, abs=0.004)


def test_the_table_takes_further_columns(compared):
    *_, result = compared
    table = result.table({"latency, ms": {"good": 20, "worse": 10}, "size, MB": {"good": 1.5, "worse": 9}})
    assert list(table) == ["AP50", "AP50 low", "AP50 high", "AP", "AP low", "AP high", "latency, ms", "size, MB"]
    assert table.loc["worse", "latency, ms"] == 10
    assert (table["AP low"] < table["AP"]).all()
    assert (table["AP"] < table["AP high"]).all()
    with pytest.raises(ConfigError, match="column 'size': values for good; expected good, worse"):
        result.table({"size": {"good": 1}})


def test_differences_are_paired(compared):
    dataset, models, result = compared
    row = result.differences().set_index("metric").loc["AP50"]
    assert row["difference"] == pytest.approx(result.values["good"]["AP50"] - result.values["worse"]["AP50"])
    assert row["low"] < row["difference"] < row["high"]
    assert row["clear"]
    alone = [np.subtract(*result.interval(name, "AP50")[::-1]) for name in models]
    assert row["high"] - row["low"] < np.hypot(*alone)  # tighter than of two that have nothing in common
    same = comparison.compare_models(dataset, {"a": models["good"], "b": models["good"]}, resamples=20).differences()
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    assert not same["clear"].any()


def test_the_figure_shows_values_and_intervals(compared):
    *_, result = compared
    left, right = result.figure().axes
    assert [axis.get_title() for axis in (left, right)] == ["AP50", "AP"]
    assert left.lines[0].get_xdata() == pytest.approx(result.interval("good", "AP50"))
    assert right.lines[3].get_xdata() == pytest.approx([result.values["worse"]["AP"]])


def test_what_cannot_be_compared_is_refused(compared):
    dataset, models, _ = compared
    with pytest.raises(ConfigError, match="by='track': no such column"):
        comparison.compare_models(dataset, models, by="track")
    with pytest.raises(ConfigError, match="1 groups; expected at least two"):
        comparison.compare_models(dataset.where(dataset.images["group"] == "sequence 1"), models)
    with pytest.raises(ConfigError, match="models: none"):
        comparison.compare_models(dataset, {})
    with pytest.raises(DataError, match="no column 'score'"):
        comparison.compare_models(dataset, {"a": models["good"].drop(columns="score")})
    with pytest.raises(ConfigError, match="models: 1; expected at least two"):
        disagreements(dataset, {"a": models["good"]})


@pytest.fixture
def pictures(tmp_path):
    """Three images of two groups, and two models that agree on the first alone."""
    for i in range(3):
        Image.new("RGB", (60, 40), (90, 90, 60 * i)).save(tmp_path / f"{i}.png")
    images = pd.DataFrame({"image_id": range(3), "file_name": [f"{i}.png" for i in range(3)], "width": 60})
    images = images.assign(height=40, group=["x", "y", "y"])
    boxes = pd.DataFrame({"image_id": range(3), "class_id": 0, "xmin": 5, "ymin": 5, "width": 20, "height": 20})
    a = pd.concat([boxes, boxes[2:].assign(xmin=30)], ignore_index=True).assign(score=0.9)
    b = boxes[:1].assign(score=0.8)
    b = pd.concat([b, boxes[1:].assign(score=0.2), boxes[1:2].assign(class_id=1, score=0.7)], ignore_index=True)
    return DetectionDataset.from_frames(images, boxes, ["cat", "dog"], root=tmp_path), {"a": a, "b": b}


def test_disagreements_count_what_one_model_has_alone(pictures):
    table = disagreements(*pictures)
    assert table.to_numpy().tolist() == [[1, 2, 1, 1], [2, 2, 2, 0], [0, 0, 1, 1]]
    assert list(table) == ["image_id", "disagreement", "a", "b"]


def test_the_gallery_shows_one_image_of_each_group_with_a_disagreement(pictures):
    figure = gallery(*pictures)
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["ground truth: 1", "a: 1", "b: 1"]
    assert [text.get_text() for text in figure.legends[0].texts] == ["cat", "dog"]


def test_the_gallery_of_models_that_agree_is_one_image(pictures):
    dataset, models = pictures
    figure = gallery(dataset, {"a": models["a"], "b": models["a"]})
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["ground truth: 1", "a: 1", "b: 1"]
