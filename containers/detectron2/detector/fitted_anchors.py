"""An anchor generator whose anchors are pairs of one size and one aspect ratio, not their products."""

import torch
from detectron2.modeling.anchor_generator import ANCHOR_GENERATOR_REGISTRY, DefaultAnchorGenerator
from torch import Tensor


@ANCHOR_GENERATOR_REGISTRY.register()
class FittedAnchorGenerator(DefaultAnchorGenerator):
    """Takes MODEL.ANCHOR_GENERATOR.SIZES and ASPECT_RATIOS as `anchors.fit` gives them, level by level."""

    def generate_cell_anchors(self, sizes: list[float], aspect_ratios: list[float]) -> Tensor:
        """Anchors [len(sizes), 4] as xyxy around the origin, in input pixels."""
        size, ratio = torch.tensor(sizes), torch.tensor(aspect_ratios)
        half = torch.stack([size / ratio.sqrt(), size * ratio.sqrt()], dim=1) / 2
        return torch.cat([-half, half], dim=1)
