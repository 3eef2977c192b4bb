"""What was found in a picture: boxes, scores and classes."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Detections:
    """Of one picture, best score first: boxes [N, 4] xyxy, scores [N], class ids [N]."""

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray

    @classmethod
    def of(cls, class_ids: np.ndarray, scores: np.ndarray, boxes: np.ndarray) -> "Detections":
        """From a GluonCV detector's rows [N, 1], [N, 1], [N, 4], where class -1 stands for no detection."""
        kept = np.flatnonzero(class_ids[:, 0] >= 0)
        kept = kept[np.argsort(-scores[kept, 0], kind="stable")]
        return cls(boxes[kept], scores[kept, 0], class_ids[kept, 0].astype(int))

    def moved(self, boxes: np.ndarray) -> "Detections":
        """The same with other boxes."""
        return replace(self, boxes=boxes)

    def at_least(self, score: float) -> "Detections":
        """Those of at least this score."""
        return self._only(self.scores >= score)

    def suppressed(self, threshold: float) -> "Detections":
        """Without those whose IoU with a better one is above `threshold`, whatever their classes."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        areas, kept = sides.prod(axis=1), []
        for i, box in enumerate(self.boxes):
            better = self.boxes[kept]
            shared = np.clip(np.minimum(box[2:], better[:, 2:]) - np.maximum(box[:2], better[:, :2]), 0, None)
            overlap = shared.prod(axis=1)
            if not (overlap > threshold * (areas[i] + areas[kept] - overlap)).any():
                kept.append(i)
        return self._only(np.array(kept, int))

    def coco(self, image_id: int) -> list[dict[str, Any]]:
        """COCO's detections."""
        sides = np.concatenate([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]], axis=1)
        rows = zip(sides.tolist(), self.scores.tolist(), self.class_ids.tolist(), strict=True)
        return [{"image_id": image_id, "bbox": b, "score": s, "category_id": c} for b, s, c in rows]

    def _only(self, which: np.ndarray) -> "Detections":
        return Detections(self.boxes[which], self.scores[which], self.class_ids[which])
