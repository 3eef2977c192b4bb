# ruff: noqa: E402  (detectron2 imports only after compat.prepare)
"""Average precision on made-up detections, and that evaluating leaves a model as it was."""

from math import isclose, isnan
from pathlib import Path
from tempfile import TemporaryDirectory

from detector import compat

compat.prepare()

import torch
from detection import coco
from detection.pictures import PictureCache
from detector.evaluation import Evaluator
from detector.pictures import Mapper
from detectron2.structures import Boxes, Instances
from PIL import Image

RECORD = {
    "file_name": "",
    "image_id": 0,
    "width": 96,
    "height": 64,
    "annotations": [
        {"bbox": [10, 10, 20, 20], "bbox_mode": 1, "category_id": 0, "iscrowd": 0},
        {"bbox": [50, 10, 20, 20], "bbox_mode": 1, "category_id": 1, "iscrowd": 0},
    ],
}
CLASSES = ["a", "b"]


def detection(box: list[float], class_id: int) -> dict:
    return {"image_id": 0, "bbox": box, "score": 0.9, "category_id": class_id}


def check_numbers() -> None:
    truth = coco.truth([RECORD], CLASSES)
    perfect = [detection(box["bbox"], box["category_id"]) for box in RECORD["annotations"]]
    assert isclose(coco.average_precision(truth, perfect)["AP"], 1)
    one = coco.average_precision(truth, perfect[:1])
    assert isclose(one["AP50"], 0.5)
    assert isclose(one["AP50/a"], 1)
    assert one["AP50/b"] == 0
    shifted = coco.average_precision(truth, [detection([15, 10, 20, 20], 0)])  # IoU 0.6
    assert isclose(shifted["AP50/a"], 1)
    assert shifted["AP75"] == 0
    assert coco.average_precision(truth, [])["AP"] == 0
    empty = coco.truth([{**RECORD, "annotations": []}], CLASSES)
    assert isnan(coco.average_precision(empty, perfect)["AP"])


class Echo(torch.nn.Module):
    """Finds the first box of the record, twice as large as the input; its loss is 2."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)

    def forward(self, batch: list[dict]) -> object:
        self.norm(torch.stack([entry["image"].float() for entry in batch]))
        if self.training:
            return {"loss_cls": torch.tensor(2.0)}
        found = Instances((64, 96), pred_boxes=Boxes(torch.tensor([[10.0, 10, 30, 30]])))
        found.scores, found.pred_classes = torch.tensor([0.9]), torch.tensor([0])
        return [{"instances": found} for _ in batch]


def check_evaluator() -> None:
    with TemporaryDirectory() as folder:
        name = str(Path(folder) / "a.png")
        Image.new("RGB", (96, 64)).save(name)
        records = [{**RECORD, "file_name": name, "image_id": i} for i in range(3)]
        evaluator = Evaluator(records, Mapper(64, 96, PictureCache(0)), CLASSES, batch_size=2)
        model = Echo().train()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        values = evaluator.evaluate(model)
    assert isclose(values["AP50"], 0.5)
    assert (values["loss"], values["loss_cls"]) == (2, 2)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


check_numbers()
check_evaluator()
