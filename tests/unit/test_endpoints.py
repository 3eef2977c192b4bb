"""The detector's client: response to table, and the payload limit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lab_utils.dataset import DetectionDataset
from lab_utils.endpoints import MAX_PAYLOAD, Detector, latency
from lab_utils.errors import DataError
from lab_utils.responses import detections


def unasked() -> tuple[int, int]:
    raise AssertionError("pixels need no size")


def test_detections_are_xywh_in_pixels():
    table = detections({"pred_boxes": [[10.5, 20, 30.5, 60]], "scores": [0.9], "pred_classes": [3]}, unasked)
    assert table.to_dict("records") == [
        {"class_id": 3, "score": 0.9, "xmin": 10.5, "ymin": 20.0, "width": 20.0, "height": 40.0}
    ]


def test_no_detection_is_an_empty_table_of_the_same_types():
    nothing = {"pred_boxes": [], "scores": [], "pred_classes": []}
    for table in (detections(nothing, unasked), detections({"prediction": []}, lambda: (1, 1))):
        assert len(table) == 0
        assert table["xmin"].dtype == "float64"
        assert table["class_id"].dtype == "int64"


def test_the_built_in_algorithms_ratios_become_pixels():
    rows = [[4.0, 0.25, 0.1, 0.2, 0.3, 0.6], [0.0, 0.86, 0.0, 0.5, 1.0, 1.0]]
    table = detections({"prediction": rows}, lambda: (200, 100))
    assert table["class_id"].tolist() == [0, 4]
    assert table["score"].tolist() == [0.86, 0.25]
    boxes = table[["xmin", "ymin", "width", "height"]].to_numpy()
    np.testing.assert_allclose(boxes, [[0, 50, 200, 50], [20, 20, 40, 40]])


def test_an_image_too_large_for_an_endpoint_is_refused_before_it_is_sent(tmp_path):
    file = tmp_path / "huge.png"
    file.write_bytes(bytes(MAX_PAYLOAD + 1))
    with pytest.raises(DataError, match=r"huge\.png has 6,291,457 bytes.*JPEG"):
        Detector("none", runtime=None).predict(file)


def test_latency_is_timed_by_turns_after_a_request_each(tmp_path, monkeypatch):
    for name in "xyz":
        Path(tmp_path, name).write_text(name)
    images = pd.DataFrame({"image_id": range(3), "file_name": list("xyz"), "width": 9, "height": 9})
    boxes = pd.DataFrame(columns=["image_id", "class_id", "xmin", "ymin", "width", "height"])
    dataset = DetectionDataset.from_frames(images, boxes, ["A"], root=tmp_path)
    asked = []
    monkeypatch.setattr(Detector, "predict", lambda self, body: asked.append(self.name + body.decode()))
    table = latency({model: Detector(model, None) for model in "ab"}, dataset, n=2)
    assert asked == ["ax", "bx", "ax", "bx", "ay", "by"]
    assert list(table) == ["a", "b"]
    assert (table > 0).sum().tolist() == [2, 2]
