"""Augmentation: boxes stay on the things they name, to the pixel."""

import numpy as np
import pytest
from detection.augment import Augmentation, augment, cut, fitted_crop, flipped, moved, recoloured, resized, visible
from PIL import Image

BOX = np.array([[30.0, 10.0, 50.0, 40.0]])


def picture() -> Image.Image:
    """100x60, black, white inside BOX."""
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[10:40, 30:50] = 255
    return Image.fromarray(pixels)


def bright(image: Image.Image) -> np.ndarray:
    """Bounding box of what is brighter than half, xyxy."""
    rows, columns = np.nonzero(np.asarray(image)[:, :, 0] > 127)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [
        ((640, 400), (320, 512), (512, 320)),
        ((640, 480), (320, 512), (427, 320)),
        ((1000, 200), (320, 512), (512, 102)),
        ((100, 400), (320, 512), (128, 512)),
        ((100, 100), (320, 512), (320, 320)),
    ],
)
def test_resized_obeys_both_limits(size: tuple, limits: tuple, expected: tuple) -> None:
    assert resized(*size, *limits) == expected


@pytest.mark.parametrize("flip", ["none", "both"])
@pytest.mark.parametrize(("crop", "side"), [(0, (200, 120)), (140, (140, 120)), (90, (90, 90))])
@pytest.mark.parametrize("seed", range(12))
def test_boxes_follow_the_pixels(flip: str, crop: int, side: tuple, seed: int) -> None:
    how = Augmentation(flip=flip, scale=1.5, crop=crop, colour=0.0, smallest_visible=0.01)
    changed, boxes, kept = augment(picture(), BOX, (200, 120), how, np.random.default_rng(seed))
    assert changed.size == side
    if len(kept):
        np.testing.assert_allclose(boxes[0], bright(changed), atol=2)


def test_a_focused_crop_shows_a_whole_box() -> None:
    how = Augmentation(scale=1.0, crop=50, focus=1.0)
    for seed in range(30):
        _, boxes, kept = augment(picture(), BOX, (100, 60), how, np.random.default_rng(seed))
        assert len(kept) == 1
        np.testing.assert_allclose(boxes[0, 2:] - boxes[0, :2], (20, 30))


def test_a_crop_cuts_no_box_where_it_need_not() -> None:
    row = np.array([[x, 10.0, x + 16, 26] for x in range(0, 100, 28)])
    how = Augmentation(scale=1.0, crop=50)
    for seed in range(30):
        _, boxes, kept = augment(picture(), row, (100, 60), how, np.random.default_rng(seed))
        np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], np.full((len(kept), 2), 16.0), atol=1.6)


def test_the_crop_is_fitted_to_the_class_of_the_largest_boxes() -> None:
    many, few = np.tile([[40.0, 20]], (90, 1)), np.tile([[100.0, 200]], (9, 1))
    class_ids = np.repeat([0, 1], (90, 9))
    assert fitted_crop(np.concatenate([many, few]), class_ids) == 224
    assert fitted_crop(many, class_ids[:90]) == 160


def test_a_cut_box_has_a_part_on_either_side() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [-1, 0, 9, 10], [-2, 0, 8, 10], [-30, 0, -20, 10], [35, 35, 45, 45]])
    assert cut(boxes, (40, 40)).tolist() == [False, False, True, False, True]


def test_the_same_seed_draws_the_same_picture() -> None:
    how = Augmentation(flip="both", scale=1.5, crop=48, colour=0.3)
    first, second = (augment(picture(), BOX, (100, 60), how, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(np.asarray(first[0]), np.asarray(second[0]))
    np.testing.assert_array_equal(first[1], second[1])


def test_a_smaller_picture_is_padded_with_grey() -> None:
    changed, boxes = moved(picture(), BOX, (100, 60), np.array([0.5, 0.5]), np.array([10.0, 20.0]))
    np.testing.assert_allclose(boxes, [[25, 25, 35, 40]])
    np.testing.assert_allclose(bright(changed.crop((10, 20, 60, 50))), [15, 5, 25, 20], atol=1)
    assert changed.getpixel((0, 0)) == (124, 116, 104)


def test_a_box_mostly_cut_away_is_dropped_and_others_are_clipped() -> None:
    boxes = np.array([[-8.0, 0, 2, 10], [-4, 0, 6, 10], [20, 20, 20.5, 30]])
    clipped, kept = visible(boxes, (40, 40), 0.5)
    assert kept.tolist() == [1]
    np.testing.assert_allclose(clipped, [[0, 0, 6, 10]])


def test_flipping_twice_is_nothing() -> None:
    np.testing.assert_allclose(flipped(BOX, 0, 100), [[50, 10, 70, 40]])
    np.testing.assert_allclose(flipped(flipped(BOX, 1, 60), 1, 60), BOX)


def test_pictures_without_boxes_are_kept() -> None:
    _, boxes, kept = augment(picture(), np.empty((0, 4)), (100, 60), Augmentation(crop=30), np.random.default_rng(0))
    assert boxes.shape == (0, 4)
    assert len(kept) == 0


def test_colour_changes_only_when_asked() -> None:
    same = recoloured(picture(), 0.0, np.random.default_rng(0))
    assert np.array_equal(np.asarray(same), np.asarray(picture()))
    darker = recoloured(Image.new("RGB", (4, 4), (200, 100, 50)), 0.5, np.random.default_rng(1))
    assert darker.getpixel((0, 0)) != (200, 100, 50)
