"""A detector's answers as tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def detections(response: dict[str, Any], size: Callable[[], tuple[int, int]]) -> pd.DataFrame:
    """A detector's response as a table with xywh boxes in pixels.

    Args:
        response: that of our images (`pred_boxes` xyxy in pixels, `scores`, `pred_classes`), or of SageMaker's built-in
            algorithm (`prediction`: rows of class, score, xmin, ymin, xmax, ymax as ratios).
        size: gives the image's width and height in pixels, where the response needs them.
    """
    if "prediction" in response:
        rows = np.array(response["prediction"], dtype=np.float64).reshape(-1, 6)
        class_ids, scores, corners = rows[:, 0], rows[:, 1], rows[:, 2:] * np.tile(size(), 2)
    else:
        class_ids, scores = response["pred_classes"], response["scores"]
        corners = np.array(response["pred_boxes"], dtype=np.float64).reshape(-1, 4)
    table = pd.DataFrame(corners, columns=["xmin", "ymin", "width", "height"])
    table[["width", "height"]] -= corners[:, :2]
    table.insert(0, "class_id", np.asarray(class_ids, dtype=np.int64))
    table.insert(1, "score", np.asarray(scores, dtype=np.float64))
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)
