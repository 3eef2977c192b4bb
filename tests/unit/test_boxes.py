import doctest

import numpy as np
import pytest

from lab_utils import boxes

RNG = np.random.default_rng(0)


def random_boxes(n):
    corner, size = RNG.uniform(0, 50, (n, 2)), RNG.uniform(0, 40, (n, 2))
    return np.hstack([corner, corner + size])


def slow_iou(a, b):
    """IoU of two boxes, written out."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
    return w * h / union


def slow_nms(xyxy, scores, threshold, classes):
    kept = []
    for i in sorted(range(len(scores)), key=lambda i: -scores[i]):
        if all(classes[i] != classes[j] or slow_iou(xyxy[i], xyxy[j]) <= threshold for j in kept):
            kept.append(i)
    return kept


def test_examples_in_the_docstrings():
    assert doctest.testmod(boxes).failed == 0


def test_conversions_are_inverse():
    xyxy = random_boxes(100)
    np.testing.assert_allclose(boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(xyxy)), xyxy)


def test_iou_equals_the_plain_loop():
    a, b = random_boxes(40), random_boxes(30)
    np.testing.assert_allclose(boxes.iou(a, b), [[slow_iou(x, y) for y in b] for x in a])


def test_iou_equals_pycocotools():
    mask = pytest.importorskip("pycocotools.mask")
    a, b = random_boxes(40), random_boxes(30)
    expected = mask.iou(boxes.xyxy_to_xywh(a), boxes.xyxy_to_xywh(b), [0] * len(b))
    np.testing.assert_allclose(boxes.iou(a, b), expected, rtol=1e-12)


def test_iou_of_nothing_and_of_boxes_without_area():
    assert boxes.iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert boxes.iou([[1, 1, 1, 1]], [[1, 1, 1, 1]]) == 0
    assert boxes.iou([[3, 3, 1, 1]], [[0, 0, 9, 9]]) == 0  # turned inside out


@pytest.mark.parametrize("by_class", [False, True])
def test_nms_equals_the_plain_loop(by_class):
    xyxy, scores = random_boxes(120), RNG.uniform(size=120)
    classes = RNG.integers(0, 3, 120)
    kept = boxes.nms(xyxy, scores, 0.3, classes if by_class else None)
    assert kept.tolist() == slow_nms(xyxy, scores, 0.3, classes if by_class else classes * 0)
    assert 0 < len(kept) < 120


def test_nms_keeps_the_order_of_equal_scores_and_spares_the_threshold_itself():
    half = [[0, 0, 2, 2], [0, 0, 2, 1]]
    assert boxes.nms(half, [0.5, 0.5], 0.5).tolist() == [0, 1]
    assert boxes.nms(half, [0.5, 0.5], 0.49).tolist() == [0]
    assert boxes.nms([], [], 0.5).tolist() == []


def test_clip_keeps_boxes_inside():
    clipped = boxes.clip(random_boxes(100) * 3 - 40, 60, 30)
    assert clipped.min() >= 0
    assert clipped[:, [0, 2]].max() <= 60
    assert clipped[:, [1, 3]].max() <= 30


@pytest.mark.parametrize("bad", [[1, 2, 3, 4], [[1, 2, 3]], np.zeros((2, 3, 4))])
def test_a_wrong_shape_is_told(bad):
    with pytest.raises(ValueError, match=r"expected shape \(N, 4\)"):
        boxes.xywh_to_xyxy(bad)


def test_lengths_that_differ_are_told():
    with pytest.raises(ValueError, match="2 boxes, 1 scores"):
        boxes.nms([[0, 0, 1, 1]] * 2, [1], 0.5)
