"""MOTA, IDF1 and HOTA of tracks of several objects, by TrackEval, the library of HOTA's authors.

Sources: Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics, 2008
(MOTA); Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking, ECCVW 2016 (IDF1);
Luiten et al., HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking, IJCV 2021.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lab_utils import boxes
from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking.clips import XYWH

COLUMNS = ["MOTA", "IDF1", "HOTA", "DetA", "AssA", "switches", "misses", "false alarms"]
_ALL = "all"


def evaluate_tracks(truth: Mapping[str, pd.DataFrame], tracks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Scores of each clip and, in the row "all", of all frames together; 1 is perfect.

    MOTA and IDF1 match at an IoU of 0.5, HOTA averages over 0.05 to 0.95. `switches` are changes of an object's id.

    Args:
        truth: clip's name -> rows with `frame`, `track_id`, `xmin`, `ymin`, `width`, `height`.
        tracks: the same of what a tracker found; classes are not compared.

    Raises:
        DataError: other clips than in `truth`, or two rows of one frame and track.
        ConfigError: TrackEval is missing.
    """
    if set(truth) != set(tracks) or not truth:
        raise DataError(f"tracks of {', '.join(sorted(tracks)) or 'no clip'}; expected {', '.join(sorted(truth))}")
    data = {name: _sequence(truth[name], tracks[name], name) for name in truth}
    rows: dict[str, dict[str, Any]] = {name: {} for name in (*data, _ALL)}
    for metric in _metrics():
        results = {name: metric.eval_sequence(sequence) for name, sequence in data.items()}
        for name, result in ({**results, _ALL: metric.combine_sequences(results)}).items():
            rows[name] |= result
    return pd.DataFrame({name: _row(result) for name, result in rows.items()}).T.rename_axis("clip")


def _metrics() -> tuple[Any, ...]:
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise ConfigError("TrackEval is missing: install it with pip install 'signal-labs[tracking]'") from error
    quiet = {"PRINT_CONFIG": False}
    return CLEAR(quiet), Identity(quiet), HOTA()


def _sequence(truth: pd.DataFrame, tracks: pd.DataFrame, name: str) -> dict[str, Any]:
    """A clip in the form that TrackEval's metrics take."""
    for table in (truth, tracks):
        if table.duplicated(["frame", "track_id"]).any():
            raise DataError(f"{name}: two rows of one frame and track")
    frames = range(int(max(truth["frame"].max(), tracks["frame"].max() if len(tracks) else 0)) + 1)
    own, found = (_by_frame(table, frames) for table in (truth, tracks))
    similarity = [
        boxes.iou(boxes.xywh_to_xyxy(a), boxes.xywh_to_xyxy(b)) for (_, a), (_, b) in zip(own, found, strict=True)
    ]
    return {
        "num_timesteps": len(frames),
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(tracks),
        "num_gt_ids": truth["track_id"].nunique(),
        "num_tracker_ids": tracks["track_id"].nunique(),
        "gt_ids": [ids for ids, _ in own],
        "tracker_ids": [ids for ids, _ in found],
        "similarity_scores": similarity,
    }


def _by_frame(table: pd.DataFrame, frames: range) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ids, counted from 0 without gaps, and boxes of each frame."""
    codes = pd.Categorical(table["track_id"]).codes.astype(int)
    order = np.argsort(table["frame"].to_numpy(), kind="stable")
    cuts = np.searchsorted(table["frame"].to_numpy()[order], np.arange(1, len(frames)))
    values = table[XYWH].to_numpy(np.float64)[order]
    return list(zip(np.split(codes[order], cuts), np.split(values, cuts), strict=True))


def _row(result: dict[str, Any]) -> dict[str, float]:
    values = [result["MOTA"], result["IDF1"], *(np.mean(result[name]) for name in ("HOTA", "DetA", "AssA"))]
    values += [result["IDSW"], result["CLR_FN"], result["CLR_FP"]]
    return dict(zip(COLUMNS, map(float, values), strict=True))
