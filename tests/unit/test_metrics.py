import contextlib
import io

import numpy as np
import pandas as pd
import pytest

from lab_utils import metrics
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import coco

XYWH = ["xmin", "ymin", "width", "height"]


def made_up(images=60, boxes=400, classes=4, flags=True, seed=0):
    """A data set, and detections that hit, miss, repeat and mistake its boxes."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.arange(3, 3 + images))
    frame = pd.DataFrame({"image_id": ids, "file_name": [f"{i}.png" for i in ids], "width": 640, "height": 480})
    size = np.exp(rng.uniform(np.log(6), np.log(250), (boxes, 2)))
    corner = rng.uniform(0, 1, (boxes, 2)) * (np.array([640, 480]) - size)
    table = pd.DataFrame(np.hstack([corner, size]), columns=XYWH)
    table["image_id"] = rng.choice(ids[3:], boxes)  # three negatives
    table["class_id"] = rng.choice(classes, boxes)
    table["crowd"] = flags & (rng.random(boxes) < 0.05)
    table["difficult"] = flags & (rng.random(boxes) < 0.05)
    names = [f"class {i}" for i in range(classes + 1)]  # the last has no boxes
    found = table.sample(2 * boxes, replace=True, random_state=seed, ignore_index=True)[["image_id", "class_id", *XYWH]]
    found[XYWH] += rng.normal(0, 0.08, (len(found), 4)) * found["width"].to_numpy()[:, None]
    found[["width", "height"]] = found[["width", "height"]].clip(lower=1)
    found["class_id"] = np.where(rng.random(len(found)) < 0.1, rng.integers(classes + 1), found["class_id"])
    found["image_id"] = np.where(rng.random(len(found)) < 0.1, rng.choice(ids), found["image_id"])
    found["score"] = rng.random(len(found)).round(2)  # with ties
    return DetectionDataset.from_frames(frame, table, names, name="made up"), found


def reference(dataset, found):
    """pycocotools' twelve numbers and precision array; difficult boxes go in as crowd."""
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    content = coco.to_dict(dataset)
    for annotation, difficult in zip(content["annotations"], dataset.boxes["difficult"], strict=True):
        annotation["iscrowd"] = int(annotation["iscrowd"] or difficult)
    rows = [
        {"image_id": r.image_id, "category_id": r.class_id + 1, "score": r.score}
        | {"bbox": [r.xmin, r.ymin, r.width, r.height]}
        for r in found.itertuples()
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = content
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats, evaluation.eval["precision"][..., -1]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("flags", [False, True])
def test_the_twelve_numbers_are_pycocotools(seed, flags):
    dataset, found = made_up(seed=seed, flags=flags)
    stats, precision = reference(dataset, found)
    result = metrics.evaluate(dataset, found)
    np.testing.assert_allclose(list(result.numbers.values()), stats, atol=1e-12)
    np.testing.assert_allclose(np.nan_to_num(result.precision, nan=-1), precision, atol=1e-12)
    assert 0.05 < result.ap < 0.9


def one_image(**flags):
    images = pd.DataFrame({"image_id": [1], "file_name": ["a.png"], "width": [100], "height": [100]})
    boxes = pd.DataFrame({"image_id": 1, "class_id": 0, "xmin": [0, 60], "ymin": [0, 60], "width": 30, "height": 30})
    return DetectionDataset.from_frames(images, boxes.assign(**flags), ["signal"])


def detections(*rows):
    return pd.DataFrame(rows, columns=["score", *XYWH]).assign(image_id=1, class_id=0)


@pytest.mark.parametrize("flag", ["crowd", "difficult"])
def test_a_flagged_box_is_neither_missed_nor_a_false_alarm(flag):
    hit, on_flagged = (0.5, 0, 0, 30, 30), (0.9, 60, 60, 30, 30)
    plain, flagged = one_image(), one_image(**{flag: [False, True]})
    assert metrics.evaluate(plain, detections(hit)).ap50 == pytest.approx(0.5, abs=0.01)  # one is missed
    assert metrics.evaluate(flagged, detections(hit)).ap50 == pytest.approx(1)
    assert metrics.evaluate(flagged, detections(hit, on_flagged)).ap50 == pytest.approx(1)
    assert metrics.evaluate(flagged, detections(hit)).boxes.tolist() == [1]
    nowhere = (0.9, 40, 0, 10, 10)
    assert metrics.evaluate(flagged, detections(hit, nowhere)).ap50 == pytest.approx(0.5)


def test_per_class_and_sizes_are_means_over_the_reference_array():
    dataset, found = made_up()
    _, precision = reference(dataset, found)
    table = metrics.evaluate(dataset, found).per_class()
    assert table.index.tolist() == list(dataset.classes)
    assert list(table) == ["boxes", "AP", "AP50", "APs", "APm", "APl"]
    np.testing.assert_allclose(table["AP"][:4], precision[:, :, :4, 0].mean(axis=(0, 1)))
    np.testing.assert_allclose(table["AP50"][:4], precision[0, :, :4, 0].mean(axis=0))
    np.testing.assert_allclose(table["APs"][:4], precision[:, :, :4, 1].mean(axis=(0, 1)))
    assert table.loc["class 4", ["AP", "AP50"]].isna().all()
    assert table["boxes"].sum() == (~(dataset.boxes["crowd"] | dataset.boxes["difficult"])).sum()


def test_perfect_and_no_detections():
    dataset, _ = made_up(flags=False)
    perfect = dataset.boxes[["image_id", "class_id", *XYWH]].assign(score=1.0)
    assert metrics.evaluate(dataset, perfect).ap == pytest.approx(1)
    nothing = metrics.evaluate(dataset, perfect[:0])
    assert (nothing.ap, nothing.ap50) == (0, 0)


def test_a_data_set_without_boxes_has_no_ap():
    dataset = one_image()
    empty = DetectionDataset.from_frames(dataset.images, dataset.boxes[:0], dataset.classes)
    assert np.isnan(metrics.evaluate(empty, detections((0.9, 0, 0, 9, 9))).ap)


def test_source_category_ids_do_not_matter():
    dataset, found = made_up()
    sparse = DetectionDataset.from_frames(
        dataset.images, dataset.boxes, dataset.classes, category_ids=[0, 7, 9, 80, 90]
    )
    assert metrics.evaluate(sparse, found).numbers == pytest.approx(
        metrics.evaluate(dataset, found).numbers, nan_ok=True
    )


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image_id", 99, "row 1: image_id is 99"),
        ("class_id", 1, "row 1: class_id is 1"),
        ("score", float("nan"), "row 1: score is nan; expected a finite number"),
        ("width", float("inf"), "row 1: width is inf"),
    ],
)
def test_a_bad_detection_is_named(column, value, message):
    found = detections((0.5, 0, 0, 9, 9), (0.5, 0, 0, 9, 9)).astype({column: object})
    found.loc[1, column] = value
    with pytest.raises(DataError, match=message):
        metrics.evaluate(one_image(), found)


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column 'score'"):
        metrics.evaluate(one_image(), detections().drop(columns="score"))


def test_table_explains_the_numbers():
    table = metrics.evaluate(*made_up()).table()
    assert table.index.tolist()[:3] == ["AP", "AP50", "AP75"]
    assert len(table) == 12
    assert table["meaning"].str.len().min() > 10


def test_pr_curves_are_the_precision_array():
    result = metrics.evaluate(*made_up())
    axis = result.pr_curves(iou=0.75).axes[0]
    assert len(axis.lines) == 4  # the class without boxes has no curve
    np.testing.assert_allclose(axis.lines[2].get_ydata(), result.precision[5, :, 2, 0])
    with pytest.raises(ConfigError, match=r"iou=0\.6"):
        result.pr_curves(iou=0.62)
