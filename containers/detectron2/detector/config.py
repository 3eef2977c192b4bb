"""detectron2's configuration from the arguments, the classes and the anchors."""

import argparse
from collections.abc import Sequence

from detection.anchors import Anchors
from detectron2 import model_zoo
from detectron2.config import CfgNode, get_cfg

from . import fitted_anchors, small_fpn, zoo  # noqa: F401  (importing registers backbone and generator)

SMALL_LEVELS = {"retinanet": ["p3", "p4", "p5"], "faster_rcnn": ["p2", "p3", "p4"]}
EVALUATED_SCORE = 0.05  # AP needs the low-scored boxes, whatever an endpoint answers
IMAGENET_STD = [57.375, 57.12, 58.395]  # BGR


def build(arguments: argparse.Namespace, classes: Sequence[str], device: str) -> CfgNode:
    """The model's configuration but for fitted anchors; paths and data are not part of it."""
    cfg = get_cfg()
    name = zoo.config_name(arguments.model_type, arguments.backbone, arguments.zoo_schedule)
    cfg.merge_from_file(model_zoo.get_config_file(name))
    cfg.MODEL.DEVICE = device
    cfg.MODEL.WEIGHTS = ""
    cfg.SEED = arguments.seed
    cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False
    cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = arguments.shortest_side, arguments.longest_side
    cfg.TEST.DETECTIONS_PER_IMAGE = arguments.detections_per_image
    if arguments.backbone == zoo.SMALL:
        _small(cfg, arguments.model_type)
    _retinanet(cfg, arguments, len(classes))
    _faster_rcnn(cfg, arguments, len(classes))
    return cfg


def feature_levels(cfg: CfgNode) -> list[str]:
    """The features on which anchors lie, finest first."""
    head = cfg.MODEL.RETINANET if cfg.MODEL.META_ARCHITECTURE == "RetinaNet" else cfg.MODEL.RPN
    return list(head.IN_FEATURES)


def use_anchors(cfg: CfgNode, anchors: Anchors) -> None:
    """Put fitted anchors into the configuration."""
    cfg.MODEL.ANCHOR_GENERATOR.NAME = "FittedAnchorGenerator"
    cfg.MODEL.ANCHOR_GENERATOR.SIZES = anchors.sizes
    cfg.MODEL.ANCHOR_GENERATOR.ASPECT_RATIOS = anchors.ratios


def served(cfg: CfgNode, score_threshold: float) -> CfgNode:
    """The configuration of the model that an endpoint loads."""
    cfg = cfg.clone()
    cfg.MODEL.RETINANET.SCORE_THRESH_TEST = cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = score_threshold
    return cfg


def _small(cfg: CfgNode, model_type: str) -> None:
    levels = SMALL_LEVELS[model_type]
    cfg.MODEL.BACKBONE.NAME = "build_small_fpn_backbone"
    cfg.MODEL.RESNETS.NORM = cfg.MODEL.FPN.NORM = "BN"  # nothing is pretrained that could be frozen
    cfg.MODEL.FPN.IN_FEATURES = [level.replace("p", "res") for level in levels]
    cfg.MODEL.FPN.OUT_CHANNELS = 64
    cfg.MODEL.PIXEL_STD = IMAGENET_STD
    cfg.MODEL.RETINANET.IN_FEATURES = cfg.MODEL.RPN.IN_FEATURES = cfg.MODEL.ROI_HEADS.IN_FEATURES = levels
    cfg.MODEL.RETINANET.NUM_CONVS, cfg.MODEL.RETINANET.NORM = 2, "BN"
    cfg.MODEL.RETINANET.TOPK_CANDIDATES_TEST = 300  # a level
    cfg.MODEL.ROI_BOX_HEAD.NUM_FC, cfg.MODEL.ROI_BOX_HEAD.FC_DIM = 1, 256
    cfg.MODEL.RPN.PRE_NMS_TOPK_TRAIN = cfg.MODEL.RPN.PRE_NMS_TOPK_TEST = 300  # a level
    cfg.MODEL.RPN.POST_NMS_TOPK_TRAIN = cfg.MODEL.RPN.POST_NMS_TOPK_TEST = 200


def _retinanet(cfg: CfgNode, arguments: argparse.Namespace, classes: int) -> None:
    head = cfg.MODEL.RETINANET
    head.NUM_CLASSES = classes
    head.BBOX_REG_LOSS_TYPE = arguments.reg_loss_type
    head.FOCAL_LOSS_GAMMA, head.FOCAL_LOSS_ALPHA = arguments.focal_loss_gamma, arguments.focal_loss_alpha
    head.NMS_THRESH_TEST, head.SCORE_THRESH_TEST = arguments.nms_threshold, EVALUATED_SCORE


def _faster_rcnn(cfg: CfgNode, arguments: argparse.Namespace, classes: int) -> None:
    heads, rpn = cfg.MODEL.ROI_HEADS, cfg.MODEL.RPN
    heads.NUM_CLASSES = classes
    heads.BATCH_SIZE_PER_IMAGE = arguments.roi_batch_size
    heads.POSITIVE_FRACTION = arguments.roi_positive_fraction
    heads.NMS_THRESH_TEST, heads.SCORE_THRESH_TEST = arguments.nms_threshold, EVALUATED_SCORE
    rpn.POSITIVE_FRACTION = arguments.rpn_positive_fraction
    rpn.BBOX_REG_LOSS_WEIGHT = arguments.rpn_box_loss_weight
    rpn.BBOX_REG_LOSS_TYPE = cfg.MODEL.ROI_BOX_HEAD.BBOX_REG_LOSS_TYPE = arguments.reg_loss_type
