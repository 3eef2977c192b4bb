"""One-pass evaluation on clips: the tracker starts on the target's first box and is never helped again."""

from collections.abc import Sequence
from typing import NamedTuple

import mxnet as mx
import numpy as np
from gluoncv.model_zoo.siamrpn.siam_net import SiamRPN
from gluoncv.model_zoo.siamrpn.siamrpn_tracker import SiamRPNTracker

from . import geometry, video
from .clips import Clip
from .names import Settings

THRESHOLDS = np.linspace(0, 1, 21)  # of the success plot (Wu, Lim, Yang: Object Tracking Benchmark, TPAMI 2015)
FOUND_IOU = 0.5
TAIL = 0.05
UNKNOWN = {"lost": 0.5, "found": 0.5}  # without a clip to measure them on


class Run(NamedTuple):
    """Of each frame after the first box: IoU [N], nan where the target is out of sight, and the tracker's score [N]."""

    ious: np.ndarray
    scores: np.ndarray

    @property
    def mean_iou(self) -> float:
        """Over the frames that show the target."""
        return float(np.nanmean(self.ious))

    @property
    def auc(self) -> float:
        """Area under the success plot: the mean share of the frames whose IoU is above each threshold."""
        seen = self.ious[~np.isnan(self.ious)]
        return float((seen[:, None] > THRESHOLDS).mean())


def tracker(network: SiamRPN, settings: Settings) -> SiamRPNTracker:
    """GluonCV's tracker with our settings."""
    return SiamRPNTracker(
        network,
        PENALTY_K=settings.penalty_k,
        WINDOW_INFLUENCE=settings.window_influence,
        LR=settings.lr,
        EXEMPLAR_SIZE=settings.exemplar,
        INSTANCE_SIZ=settings.instance,
        BASE_SIZE=settings.base_size,
        CONTEXT_AMOUNT=settings.context,
        STRIDE=settings.stride,
        RATIOS=settings.ratios,
        SCALES=settings.scales,
    )


def follow(network: SiamRPN, settings: Settings, clip: Clip, context: mx.Context) -> Run:
    """Follow the clip's first target from the frame that first shows it."""
    track, found = clip.tracks[0], []
    first = int(track.frames[0])
    running = tracker(network, settings)
    for number, _, picture in video.frames(clip.path, lambda number: number >= first):
        if number == first:
            running.init(picture, track.boxes[0], context)
        else:
            answer = running.track(picture, context)
            found.append([number, *answer["bbox"], answer["best_score"]])
    rows = np.array(found).reshape(-1, 6)
    truth = np.full((clip.count, 4), np.nan)
    truth[track.frames] = track.boxes
    return Run(geometry.iou(rows[:, 1:5], truth[rows[:, 0].astype(int)]), rows[:, 5])


def figures(runs: Sequence[Run]) -> dict[str, float]:
    """The clips' mean IoU and mean area under the success plot, both within 0 to 1."""
    return {
        "mean_iou": float(np.mean([run.mean_iou for run in runs])),
        "auc": float(np.mean([run.auc for run in runs])),
    }


def score_thresholds(runs: Sequence[Run]) -> dict[str, float]:
    """`lost`: below it the target counts as lost; `found`: above it a lost one counts as found again.

    They are the score that only one in twenty frames on the target (IoU above FOUND_IOU) stays below, and the one that
    only one in twenty frames without it exceeds: the smaller for `lost`. Clips that never lose the target say nothing
    of the second, and both are the first.
    """
    ious, scores = (np.concatenate(part) for part in zip(*runs, strict=True))
    on, gone = scores[ious > FOUND_IOU], scores[np.isnan(ious)]
    edges = [np.quantile(on, TAIL)] if len(on) else []
    edges += [np.quantile(gone, 1 - TAIL)] if len(gone) else []
    return {"lost": float(min(edges)), "found": float(max(edges))} if edges else UNKNOWN
