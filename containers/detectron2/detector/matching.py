"""Which anchors answer for a box while a RetinaNet trains."""

from detectron2.modeling.matcher import Matcher
from torch import Tensor


class TopMatcher(Matcher):
    """Besides the anchors above the IoU thresholds, each box gets its `count` best ones above `lowest_iou`.

    RetinaNet's own rule gives a small box one anchor or two, which makes training from scratch slow.
    """

    def __init__(self, thresholds: list[float], labels: list[int], count: int, lowest_iou: float = 0.2) -> None:
        super().__init__(list(thresholds), list(labels), allow_low_quality_matches=True)
        self._count, self._lowest_iou = count, lowest_iou

    def set_low_quality_matches_(self, match_labels: Tensor, match_quality_matrix: Tensor) -> None:
        """Mark the best anchors of each box as positive; `match_quality_matrix` is IoU [boxes, anchors]."""
        super().set_low_quality_matches_(match_labels, match_quality_matrix)
        count = min(self._count, match_quality_matrix.shape[1])
        iou, anchors = match_quality_matrix.topk(count, dim=1)
        match_labels[anchors[iou >= self._lowest_iou]] = 1
