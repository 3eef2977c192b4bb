"""Anchors fitted by k-means: they find what is there, whatever the data lacks."""

import numpy as np
import pytest
from detection import anchors

WIDTHS_HEIGHTS = np.array([[8, 16], [20, 20], [60, 30]], float)


def clusters(count: int = 200, spread: float = 0.05, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = np.exp(spread * rng.standard_normal((count, 3, 2)))
    return (WIDTHS_HEIGHTS * noise).reshape(-1, 2)


def sides(fitted: anchors.Anchors) -> np.ndarray:
    size, ratio = np.array(fitted.sizes), np.array(fitted.ratios)
    return np.stack([size / np.sqrt(ratio), size * np.sqrt(ratio)], axis=-1)


def test_three_clusters_of_boxes_become_three_anchors() -> None:
    found = clusters()
    fitted = anchors.fit(found, np.ones(len(found)), levels=3, per_level=1)
    np.testing.assert_allclose(sides(fitted)[:, 0], WIDTHS_HEIGHTS, rtol=0.03)
    assert fitted.mean_iou > 0.9


def test_more_anchors_cover_the_boxes_better() -> None:
    spread = clusters(spread=0.4)
    weights = np.ones(len(spread))
    coverage = [anchors.fit(spread, weights, 3, count).mean_iou for count in (1, 2, 4)]
    assert coverage == sorted(coverage)


def test_the_same_seed_gives_the_same_anchors() -> None:
    spread = clusters(spread=0.4)
    first, second = (anchors.fit(spread, np.ones(len(spread)), 3, 3, seed=5) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("boxes", [np.array([[30.0, 30.0]]), np.tile([30.0, 30.0], (50, 1)), np.empty((0, 2))])
def test_few_or_equal_or_no_boxes_still_give_every_level_its_anchors(boxes: np.ndarray) -> None:
    fitted = anchors.fit(boxes, np.ones(len(boxes)), levels=3, per_level=3)
    assert np.shape(fitted.sizes) == np.shape(fitted.ratios) == (3, 3)
    assert np.isfinite(fitted.sizes).all()


def test_iou_of_sides() -> None:
    result = anchors.iou_of_sides(np.array([[2.0, 2.0]]), np.array([[2.0, 2.0], [4.0, 1.0], [1.0, 1.0]]))
    np.testing.assert_allclose(result, [[1, 2 / 6, 1 / 4]])


def test_a_rare_class_weighs_more_but_not_all() -> None:
    weights = anchors.class_balance(np.array([0] * 100 + [1]))
    assert weights[-1] / weights[0] == pytest.approx(10)


def test_lines_show_width_and_height() -> None:
    assert anchors.Anchors([[20.0]], [[4.0]], 1.0).lines(["p3"]) == ["anchors p3: 10x40"]
