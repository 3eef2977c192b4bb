# ruff: noqa: E402  (detectron2 imports only after compat.prepare)
"""The plain PyTorch operators against torchvision's own reference and a brute-force search."""

from detector import compat

compat.prepare()

import torch
from detector import torch_ops
from torchvision.ops.roi_align import _roi_align

generator = torch.Generator().manual_seed(0)


def random_boxes(count: int, extent: float) -> torch.Tensor:
    corner = torch.rand(count, 2, generator=generator, dtype=torch.float64) * extent / 2
    return torch.cat([corner, corner + torch.rand(count, 2, generator=generator, dtype=torch.float64) * extent / 2], 1)


def check_roi_align() -> None:
    reference = _roi_align.__wrapped__
    feature = torch.rand(2, 4, 20, 30, generator=generator, dtype=torch.float64)
    rois = torch.cat([torch.arange(40).reshape(-1, 1) % 2, random_boxes(40, 76)], 1)
    for ratio in (0, 2):
        for aligned in (False, True):
            results = []
            for function, size in ((torch_ops.roi_align, ((7, 5),)), (reference, ())):
                given = feature.clone().requires_grad_()
                arguments = (given, rois, *size, 0.25) if size else (given, rois, 0.25, 7, 5)
                pooled = function(*arguments, ratio, aligned)
                (pooled**2).sum().backward()
                results.append((pooled.detach(), given.grad))
            for mine, theirs in zip(*results, strict=True):
                torch.testing.assert_close(mine, theirs)
    assert torch_ops.roi_align(feature, rois[:0], (7, 7)).shape == (0, 4, 7, 7)


def iou(a: list[float], b: list[float]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def check_nms() -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        boxes, scores = random_boxes(60, 50).float(), torch.rand(60)
        kept: list[int] = []
        for i in scores.argsort(descending=True).tolist():
            if all(iou(boxes[i].tolist(), boxes[j].tolist()) <= 0.4 for j in kept):
                kept.append(i)
        assert torch_ops.nms(boxes, scores, 0.4).tolist() == kept
    assert torch_ops.nms(boxes[:0], scores[:0], 0.5).tolist() == []
    same_empty = torch.zeros(2, 4)
    assert torch_ops.nms(same_empty, torch.tensor([0.1, 0.9]), 0.5).tolist() == [1, 0]


check_roi_align()
check_nms()
