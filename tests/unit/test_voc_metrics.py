import numpy as np
import pandas as pd
import pytest
from unit.test_metrics import XYWH, detections, made_up, one_image

from lab_utils import metrics
from lab_utils.errors import ConfigError, DataError
from lab_utils.matching import COCO_IOUS, match
from lab_utils.precision import average_precision
from lab_utils.voc_metrics import evaluate_voc

# GluonCV 0.10.5's VOC07MApMetric and VOCMApMetric on `distinct(seed)`; corners went in less 1, for it adds a pixel.
GLUONCV = {
    0: (
        [0.3642002485566041, 0.35453272217978093, 0.39816688524984395, 0.30338612600613135],
        [0.3720569066849135, 0.3165892540261031, 0.37116492731374506, 0.29121551255820194],
    ),
    1: (
        [0.3730701994019341, 0.5234538108992204, 0.3908794345372248, 0.4218961222275224],
        [0.34880412496035573, 0.5098445975907322, 0.36791468118795895, 0.4347916690025485],
    ),
}


def distinct(seed, **options):
    """`made_up` with scores that never tie, for tools order ties each in their own way."""
    dataset, found = made_up(seed=seed, **options)
    found["score"] = np.random.default_rng(seed).permutation(len(found)) / len(found)
    return dataset, found


@pytest.mark.parametrize("seed", [0, 1])
def test_voc_is_gluoncvs(seed):
    result = evaluate_voc(*distinct(seed))
    for ours, reference in zip((result.voc07, result.voc12), GLUONCV[seed], strict=True):
        np.testing.assert_allclose(ours[:4], reference, atol=1e-12)
        assert np.isnan(ours[4])  # the class without boxes
    assert result.map07 == pytest.approx(np.mean(GLUONCV[seed][0]))
    assert result.map12 == pytest.approx(np.mean(GLUONCV[seed][1]))


@pytest.mark.parametrize("flags", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_coco_by_matching_is_what_evaluate_gives(seed, flags):
    dataset, found = distinct(seed, flags=flags)
    expected = metrics.evaluate(dataset, found).precision[..., 0].mean(axis=1)
    np.testing.assert_allclose(average_precision(match(dataset, found))[0], expected, atol=1e-12)


def test_a_weight_is_so_many_copies_of_an_image():
    dataset, found = distinct(0, images=8, boxes=60)
    weights = np.array([[0, 1, 3, 1, 0, 2, 1, 1.0]])
    copies = np.repeat(np.arange(8), weights[0].astype(int))
    names = dataset.images["image_id"].to_numpy()[copies]
    parts = [[], []]
    for new, old in enumerate(names):
        for part, table in zip(parts, (dataset.boxes, found), strict=True):
            part.append(table[table["image_id"] == old].assign(image_id=new))
    images = pd.DataFrame({"image_id": range(len(names)), "file_name": [f"{i}.png" for i in range(len(names))]})
    drawn = type(dataset).from_frames(images.assign(width=640, height=480), pd.concat(parts[0]), dataset.classes)
    expected = evaluate_voc(drawn, pd.concat(parts[1]))
    matches = match(dataset, found, [0.5], rule="voc")
    np.testing.assert_allclose(average_precision(matches, weights, style="voc12")[0, 0], expected.voc12, atol=1e-12)


def test_a_second_detection_of_an_object_is_false_and_a_difficult_one_is_ignored():
    hit, again, other = (0.9, 0, 0, 30, 30), (0.8, 1, 0, 30, 30), (0.7, 60, 60, 30, 30)
    assert evaluate_voc(one_image(), detections(hit, other)).map12 == pytest.approx(1)
    assert evaluate_voc(one_image(), detections(hit, again, other)).map12 == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert evaluate_voc(one_image(difficult=[False, True]), detections(hit, other)).map12 == pytest.approx(1)
    assert evaluate_voc(one_image(difficult=[True, False]), detections(hit, other)).map07 == pytest.approx(1)
    assert evaluate_voc(one_image(), detections(hit)).map07 == pytest.approx(6 / 11)  # recall 0.5: levels 0 to 0.5


def test_without_objects_or_detections():
    dataset, found = made_up()
    assert evaluate_voc(dataset, found[:0]).map12 == 0
    empty = type(dataset).from_frames(dataset.images, dataset.boxes[:0], dataset.classes)
    assert np.isnan(evaluate_voc(empty, found).map07)


def test_what_is_unknown_is_refused():
    dataset, found = made_up(images=4, boxes=9)
    with pytest.raises(ConfigError, match="rule='kitti'"):
        match(dataset, found, rule="kitti")
    with pytest.raises(ConfigError, match="style='voc10'"):
        average_precision(match(dataset, found, COCO_IOUS[:1]), style="voc10")
    with pytest.raises(DataError, match="no column 'width'"):
        evaluate_voc(dataset, found[["image_id", "class_id", "score", *XYWH[:2]]])
    assert evaluate_voc(dataset, found).per_class().columns.tolist() == ["VOC07", "VOC12"]
