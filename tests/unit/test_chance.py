"""Detections that never look at an image."""

import numpy as np
import pandas as pd

from lab_utils import chance, metrics
from lab_utils.dataset import XYWH, DetectionDataset


def data(size: tuple[int, int], boxes: list[tuple[int, int, float, float, float, float]]) -> DetectionDataset:
    images = pd.DataFrame({"image_id": [1, 2], "file_name": ["a.png", "b.png"], "width": size[0], "height": size[1]})
    frame = pd.DataFrame(boxes, columns=["image_id", "class_id", *XYWH])
    return DetectionDataset.from_frames(images, frame, ["a", "b"])


def test_guesses_are_the_training_boxes_in_proportion():
    training = data((100, 50), [(1, 1, 10, 20, 30, 10)])
    test = data((200, 200), [(1, 1, 20, 80, 60, 40), (2, 0, 0, 0, 9, 9)])
    found = chance.guesses(test, training, per_image=5)
    assert found.groupby("image_id").size().to_dict() == {1: 5, 2: 5}
    assert set(found["class_id"]) == {1}
    np.testing.assert_allclose(found[XYWH].to_numpy(), [[20, 80, 60, 40]] * 10)
    assert found["score"].between(0, 1).all()
    assert metrics.evaluate(test, found).ap50 > 0  # the same box is right in the first image


def test_they_are_the_same_for_a_seed():
    training = data((100, 50), [(1, i % 2, i, i, 30, 10) for i in range(20)])
    first, again, other = (chance.guesses(training, training, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
