"""`small_fpn`: a ResNet-FPN of CPU size, trained from scratch (about 1 M parameters)."""

from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY
from detectron2.modeling.backbone.fpn import FPN
from detectron2.modeling.backbone.resnet import BasicBlock, BasicStem, ResNet

# A block without a change of channels has no projection, and so cannot have a stride.
STAGES = (("res2", 32, 1), ("res3", 64, 2), ("res4", 128, 2), ("res5", 160, 2))  # name, channels, stride


@BACKBONE_REGISTRY.register()
def build_small_fpn_backbone(cfg: CfgNode, input_shape: ShapeSpec) -> FPN:
    """Basic blocks at strides 4 to 32 and a pyramid over cfg.MODEL.FPN.IN_FEATURES."""
    norm = cfg.MODEL.RESNETS.NORM
    stem = BasicStem(input_shape.channels, 32, norm=norm)
    stages, channels = [], 32
    for _, out_channels, stride in STAGES:
        block = {"in_channels": channels, "out_channels": out_channels, "norm": norm}
        stages.append(ResNet.make_stage(BasicBlock, 1, stride_per_block=[stride], **block))
        channels = out_channels
    body = ResNet(stem, stages, out_features=list(cfg.MODEL.FPN.IN_FEATURES))
    return FPN(body, cfg.MODEL.FPN.IN_FEATURES, cfg.MODEL.FPN.OUT_CHANNELS, norm=cfg.MODEL.FPN.NORM)
