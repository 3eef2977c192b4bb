"""Non-maximum suppression and RoIAlign in plain PyTorch, for a torchvision whose compiled ones do not load."""

import torch
from torch import Tensor


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Greedy non-maximum suppression.

    Args: `boxes` [N, 4] as x1, y1, x2, y2; `scores` [N]; boxes whose IoU with a better one is above
    `iou_threshold` go. Returns the indices kept, best first (int64).
    """
    order = scores.sort(descending=True, stable=True).indices
    rest = boxes.detach()[order].float()
    areas = (rest[:, 2:] - rest[:, :2]).prod(dim=1)
    kept = []
    while len(order):
        kept.append(order[0])
        sides = torch.minimum(rest[0, 2:], rest[:, 2:]) - torch.maximum(rest[0, :2], rest[:, :2])
        overlap = sides.clamp_(min=0).prod(dim=1)
        survives = overlap <= iou_threshold * (areas[0] + areas - overlap)
        survives[0] = False  # a box of area 0 does not overlap itself
        order, rest, areas = order[survives], rest[survives], areas[survives]
    return torch.stack(kept) if kept else order


def roi_align(
    feature: Tensor,
    rois: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """RoIAlign (Mask R-CNN, arXiv 1703.06870): the mean of a grid of bilinear samples in every bin.

    That mean is separable, so it is two matrix products a box; autograd differentiates them.

    Args: `feature` [N, C, H, W]; `rois` [K, 5] as image index, x1, y1, x2, y2 in input pixels;
    `output_size` (rows, columns). Returns [K, C, rows, columns].
    """
    offset = 0.5 if aligned else 0.0
    corners = rois[:, 1:] * spatial_scale - offset
    sides = corners[:, 2:] - corners[:, :2]
    if not aligned:
        sides = sides.clamp(min=1.0)
    height, width = feature.shape[-2:]
    rows = _bin_weights(corners[:, 1], sides[:, 1], output_size[0], height, sampling_ratio)
    columns = _bin_weights(corners[:, 0], sides[:, 0], output_size[1], width, sampling_ratio)
    pooled = feature.new_zeros((len(rois), feature.shape[1], *output_size))
    for image, plane in enumerate(feature):
        mine = (rois[:, 0] == image).nonzero().squeeze(1)
        if len(mine):
            across = torch.einsum("chw,kqw->kchq", plane, columns[mine])
            pooled = pooled.index_copy(0, mine, torch.einsum("kchq,kph->kcpq", across, rows[mine]))
    return pooled


def _bin_weights(start: Tensor, side: Tensor, bins: int, length: int, ratio: int) -> Tensor:
    """Along one axis: the weight of each of `length` pixels in each of `bins` bins, [K, bins, length]."""
    bin_side = side / bins
    samples = torch.full_like(bin_side, ratio) if ratio > 0 else bin_side.ceil().clamp(min=1)
    most = int(samples.max()) if len(samples) else 1
    sample = torch.arange(most, device=start.device, dtype=start.dtype)
    first = start[:, None] + torch.arange(bins, device=start.device) * bin_side[:, None]
    position = first[..., None] + ((sample + 0.5) * (bin_side / samples)[:, None])[:, None]
    counted = (sample < samples[:, None])[:, None] & (position >= -1) & (position <= length)
    position = position.clamp(0, length - 1)
    low = position.floor().long()
    fraction = position - low
    share = counted / samples[:, None, None]
    weights = start.new_zeros((*position.shape[:2], length))
    weights.scatter_add_(2, low, (1 - fraction) * share)
    return weights.scatter_add_(2, (low + 1).clamp(max=length - 1), fraction * share)
