# ruff: noqa: E402  (detectron2 imports only after compat.prepare)
"""Configurations and models: every combination builds, negatives train, anchors and matching are as asked."""

import argparse
from pathlib import Path

from detector import compat

compat.prepare()

import torch
from detection.anchors import Anchors
from detector import arguments, config, evaluation
from detector.matching import TopMatcher
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from detectron2.utils.events import EventStorage
from sagemaker_contract import Environment


def parse(*argv: str) -> argparse.Namespace:
    return arguments.parse(Environment(Path("/x")), argv)


def entry(boxes: list[list[float]]) -> dict:
    truth = Instances((64, 96))
    truth.gt_boxes = Boxes(torch.tensor(boxes).reshape(-1, 4))
    truth.gt_classes = torch.zeros(len(boxes), dtype=torch.int64)
    return {"image": torch.zeros(3, 64, 96, dtype=torch.uint8), "instances": truth, "height": 64, "width": 96}


def check_small(model_type: str) -> None:
    cfg = config.build(parse(f"--model-type={model_type}", "--reg-loss-type=giou"), ["a", "b"], "cpu")
    fitted = Anchors([[10.0, 14.0]] * 3, [[1.0, 2.0]] * 3, 1.0)
    config.use_anchors(cfg, fitted)
    model = build_model(cfg)
    generator = model.anchor_generator if model_type == "retinanet" else model.proposal_generator.anchor_generator
    cell = next(iter(generator.cell_anchors))
    sides = cell[:, 2:] - cell[:, :2]
    torch.testing.assert_close(sides, torch.tensor([[10, 10], [14 / 2**0.5, 14 * 2**0.5]]))
    with EventStorage():
        for boxes in ([[10.0, 10, 30, 30]], []):
            losses = model([entry(boxes), entry([])])
            assert all(torch.isfinite(loss) for loss in losses.values()), losses
    assert sum(parameter.numel() for parameter in model.parameters()) < 3e6
    model.eval()([entry([])])


def check_zoo() -> None:
    cfg = config.build(parse("--model-type=faster_rcnn", "--backbone=R_50_C4", "--num-rpn=64"), ["a"], "cpu")
    assert (cfg.MODEL.ROI_HEADS.NUM_CLASSES, cfg.MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE) == (1, 64)
    assert not cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS
    assert config.served(cfg, 0.3).MODEL.ROI_HEADS.SCORE_THRESH_TEST == 0.3
    assert cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST == config.EVALUATED_SCORE


def check_one_pass_gives_what_two_would() -> None:
    cfg = config.build(parse(), ["a", "b"], "cpu")
    config.use_anchors(cfg, Anchors([[10.0, 14.0]] * 3, [[1.0, 2.0]] * 3, 1.0))
    model = build_model(cfg)
    model.test_score_thresh = 0.0
    batch = [{**entry(boxes), "image_id": i} for i, boxes in enumerate(([[10.0, 10, 30, 30]], []))]
    with EventStorage():
        model(batch)
    found, losses = evaluation._judge(model, batch)
    assert found
    assert found == evaluation._predict(model, batch)
    model._ema_update = evaluation._own_count
    twice = evaluation._losses(model, batch)
    assert losses.keys() == twice.keys()
    assert all(abs(losses[name] - twice[name]) < 1e-5 for name in losses), (losses, twice)


def check_matching() -> None:
    iou = torch.tensor([[0.35, 0.3, 0.6, 0.1], [0.0, 0.25, 0.0, 0.0]])
    _, labels = TopMatcher([0.4, 0.5], [0, -1, 1], count=3)(iou)
    assert labels.tolist() == [1, 1, 1, 0]
    _, labels = TopMatcher([0.4, 0.5], [0, -1, 1], count=1)(iou)
    assert labels.tolist() == [0, 1, 1, 0]


check_small("retinanet")
check_small("faster_rcnn")
check_zoo()
check_matching()
check_one_pass_gives_what_two_would()
