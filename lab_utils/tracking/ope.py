"""One-pass evaluation: each tracker runs once through each clip, from the true box of the first frame on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm.auto import tqdm

from lab_utils.errors import DataError
from lab_utils.tracking import overlap
from lab_utils.tracking.clips import Clip
from lab_utils.tracking.overlap import Array
from lab_utils.tracking.tracker import Box, Observation, Tracker, track
from lab_utils.tracking.video import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS = ("AUC", "precision", "norm. precision", "IoU")
_LEVEL = (2.5, 97.5)
_CURVES = {
    "success": (overlap.OVERLAP_THRESHOLDS, "overlap threshold", "success: share of frames above"),
    "precision": (overlap.PIXEL_THRESHOLDS, "centre error, pixels", "precision: share of frames within"),
}


@dataclass(frozen=True)
class Run:
    """What a tracker said in one clip.

    Attributes:
        truth, boxes: xywh in pixels, [frames, 4]; NaN where the object is not seen, or was taken for lost.
        visibility: share of the object that is seen, [frames], 0 where it is not.
        scores: [frames].
        seconds: the tracker's own time for all frames but the first; reading the video is not in it.
    """

    clip: str
    truth: Array
    boxes: Array
    visibility: Array
    scores: Array
    seconds: float

    @property
    def fps(self) -> float:
        """Frames a second that the tracker alone would do."""
        return (len(self.boxes) - 1) / self.seconds if self.seconds else float("nan")


def run(clip: Clip, tracker: Tracker) -> Run:
    """Run a tracker through a clip from the target's true box in frame 0.

    Raises:
        DataError: the target is not seen in frame 0.
    """
    first = clip.boxes(1)[0]
    if np.isnan(first).any():
        raise DataError(f"{clip.path.with_suffix('.csv')}: track 1 has no box in frame 0")
    timed = _Timed(tracker)
    box: Box = (first[0], first[1], first[2], first[3])
    said = [step.observation for step in track(clip.video, box, timed)]
    boxes = np.array([o.box or (np.nan,) * 4 for o in said], dtype=np.float64)
    truth, visibility = clip.boxes(len(said)), clip.visibility(len(said))
    return Run(clip.name, truth, boxes, visibility, np.array([o.score for o in said]), timed.seconds)


def evaluate(clips: Sequence[Clip], trackers: Mapping[str, Tracker], *, progress: bool = True) -> Evaluation:
    """Run every tracker through every clip.

    Raises:
        DataError: there is no clip, or one's target is not seen in frame 0.
    """
    if not clips:
        raise DataError("no clip to evaluate on")
    runs: dict[str, list[Run]] = {name: [] for name in trackers}
    with tqdm(total=len(clips) * len(trackers), desc="clips", unit="run", disable=not progress, leave=False) as bar:
        for name, tracker in trackers.items():
            for clip in clips:
                bar.set_postfix_str(f"{name}, {clip.name}")
                runs[name].append(run(clip, tracker))
                bar.update()
    return Evaluation(runs)


@dataclass(frozen=True)
class Evaluation:
    """Every tracker's runs, in the same order of clips."""

    runs: dict[str, list[Run]]

    def per_clip(self) -> pd.DataFrame:
        """One row a tracker and clip: the METRICS and `fps`. `precision` is at 20 pixels, `norm. precision` and `AUC`
        are means over their thresholds, `IoU` is the mean overlap."""
        rows = [(name, r.clip, *_metrics(r), r.fps) for name, runs in self.runs.items() for r in runs]
        return pd.DataFrame(rows, columns=["tracker", "clip", *METRICS, "fps"])

    def table(self, *, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
        """One row a tracker: the mean over clips of each metric, the ends of the AUC's 95 % interval, median `fps`.

        The interval is a percentile bootstrap over clips: frames of one clip are alike.
        """
        by_tracker = self.per_clip().groupby("tracker", sort=False)
        table = by_tracker[list(METRICS)].mean()
        draws = self._draws(resamples, seed)
        for name, rows in by_tracker:
            low, high = np.percentile(rows["AUC"].to_numpy()[draws].mean(axis=1), _LEVEL)
            table.loc[name, ["AUC low", "AUC high"]] = low, high
        table["fps"] = by_tracker["fps"].median()
        return table[["AUC", "AUC low", "AUC high", *METRICS[1:], "fps"]]

    def figure(self, *, resamples: int = 2000, seed: int = 0) -> Figure:
        """Success and precision plots, the mean over clips with its 95 % bootstrap band."""
        import matplotlib.pyplot as plt

        from lab_utils.palette import colour

        figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
        draws = self._draws(resamples, seed)
        for axis, (kind, (thresholds, x, y)) in zip(axes, _CURVES.items(), strict=True):
            for i, (name, runs) in enumerate(self.runs.items()):
                curves = np.stack([_curve(kind, r) for r in runs])
                low, high = np.percentile(curves[draws].mean(axis=1), _LEVEL, axis=0)
                mean = curves.mean(axis=0)
                single = mean.mean() if kind == "success" else mean[overlap.PIXELS]
                axis.plot(thresholds, mean, color=colour(i), label=f"{name} {single:.2f}", lw=2)
                axis.fill_between(thresholds, low, high, color=colour(i), alpha=0.15, lw=0)
            axis.set(xlabel=x, ylabel=y, ylim=(0, 1.02), xlim=(thresholds[0], thresholds[-1]))
            axis.legend(title="AUC" if kind == "success" else f"at {overlap.PIXELS} px", fontsize=8)
            axis.grid(alpha=0.3)
        plt.close(figure)
        return figure

    def _draws(self, resamples: int, seed: int) -> NDArray[np.intp]:
        """Which clips each resample holds, the same for every tracker, [resamples, clips]."""
        count = len(next(iter(self.runs.values())))
        return np.random.default_rng(seed).integers(0, count, (resamples, count))


def _metrics(run: Run) -> tuple[float, ...]:
    return (
        float(overlap.success_curve(run.truth, run.boxes).mean()),
        float(overlap.precision_curve(run.truth, run.boxes)[overlap.PIXELS]),
        float(overlap.normalised_precision_curve(run.truth, run.boxes).mean()),
        float(np.nanmean(overlap.overlaps(run.truth, run.boxes))),
    )


def _curve(kind: str, run: Run) -> Array:
    curve = overlap.success_curve if kind == "success" else overlap.precision_curve
    return curve(run.truth, run.boxes)


class _Timed:
    """A tracker, and the seconds that its updates take."""

    def __init__(self, tracker: Tracker) -> None:
        self.start, self._update, self.seconds = tracker.start, tracker.update, 0.0

    def update(self, frame: Image) -> Observation:
        began = time.perf_counter()
        observation = self._update(frame)
        self.seconds += time.perf_counter() - began
        return observation
