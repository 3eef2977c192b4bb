"""Several objects at once, each with an id that it keeps when it is lost and found again.

Tracking by detection in the manner of SORT (Bewley et al., ICIP 2016), with a tracker of single objects in the place of
its Kalman filter: detections are assigned to tracks by overlap (Hungarian method), a lost track is waited for where the
camera's motion has moved it (Aharon et al., BoT-SORT, 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lab_utils import boxes
from lab_utils.tracking.detection import XYWH, Detect, assign, box_of, nearest
from lab_utils.tracking.fusion import reach
from lab_utils.tracking.motion import CameraMotion, Flow
from lab_utils.tracking.thresholds import Thresholds
from lab_utils.tracking.tracker import Box, Observation, Tracker
from lab_utils.tracking.video import Image, Video

PATIENCE = 2  # weak frames, or looks in vain, after which a track is lost
KEPT = 250  # frames for which a lost track is waited for


@dataclass
class _Track:
    class_id: int
    tracker: Tracker
    box: Box
    score: float
    weak: int = 0
    vain: int = 0
    lost_for: int = 0


class MultiTracker:
    """Follows all that a detector sees.

    Args:
        make: makes a tracker for one object.
        detect: the detector.
        thresholds: of the trackers' scores; only `lost` is used.
        look_every: frames between two looks of the detector.
        new_score: score from which a detection that fits no track begins one.
        most: number of tracks, lost ones included, at which no more are begun.
    """

    def __init__(
        self,
        make: Callable[[], Tracker],
        detect: Detect,
        thresholds: Thresholds,
        *,
        look_every: int = 5,
        new_score: float = 0.5,
        most: int = 20,
    ) -> None:
        self._make, self._detect, self._lost = make, detect, thresholds.lost
        self._look_every, self._new_score, self._most = look_every, new_score, most
        self._tracks: dict[int, _Track] = {}
        self._motion: CameraMotion | None = None
        self._frames = self._last_id = 0

    def update(self, frame: Image) -> dict[int, Observation]:
        """What is seen in the next frame: id, from 1, -> box and score. Lost tracks are left out."""
        flow = self._motion.update(frame) if self._motion else None
        self._motion = self._motion or CameraMotion(frame)
        for track in self._tracks.values():
            self._follow(track, frame, flow)
        if self._frames % self._look_every == 0:
            self._look(frame)
        self._frames += 1
        self._tracks = {number: track for number, track in self._tracks.items() if track.lost_for < KEPT}
        return {
            number: Observation(track.box, track.score)
            for number, track in self._tracks.items()
            if not (track.lost_for or track.weak)
        }

    def _follow(self, track: _Track, frame: Image, flow: Flow | None) -> None:
        track.box = flow.carried(track.box) if flow else track.box
        if track.lost_for:
            track.lost_for += 1
            return
        said = track.tracker.update(frame)
        if said.box is None or said.score < self._lost:
            track.weak += 1
            track.lost_for = int(track.weak >= PATIENCE)
        else:
            track.box, track.score, track.weak = said.box, said.score, 0

    def _look(self, frame: Image) -> None:
        """Hold the tracks against the detections; take up again what was lost, and what is new."""
        found = self._detect(frame).reset_index(drop=True)
        active = [track for track in self._tracks.values() if not track.lost_for]
        matched = assign([track.box for track in active], found)
        for index, track in enumerate(active):
            if index not in matched:
                track.vain += 1
                track.lost_for = int(track.vain >= PATIENCE)
                continue
            row = found.iloc[matched[index]]
            track.vain = 0
            if boxes.iou(boxes.xywh_to_xyxy([track.box]), boxes.xywh_to_xyxy([box_of(row)]))[0, 0] < 0.6:
                self._take_up(track, frame, row)
        rest = found.drop(index=list(matched.values()))
        for track in (track for track in self._tracks.values() if track.lost_for):
            again = nearest(rest, track.box, reach=reach(track.lost_for), class_id=track.class_id)
            if again is not None:
                self._take_up(track, frame, again)
                rest = rest.drop(index=again.name)
        new = rest[rest["score"] >= self._new_score].nlargest(self._most - len(self._tracks), "score")
        for _, row in new.iterrows():
            self._last_id += 1
            track = _Track(int(row["class_id"]), self._make(), box_of(row), float(row["score"]))
            self._tracks[self._last_id] = track
            self._take_up(track, frame, row)

    def _take_up(self, track: _Track, frame: Image, row: pd.Series[Any]) -> None:
        track.tracker.start(frame, box_of(row))
        track.box, track.score = box_of(row), float(row["score"])
        track.weak = track.vain = track.lost_for = 0


def track_all(video: Video | str | Path, tracker: MultiTracker) -> Iterator[tuple[int, Image, dict[int, Observation]]]:
    """Follow everything through a video, a frame at a time: (frame's number from 0, picture, what is seen)."""
    video = video if isinstance(video, Video) else Video.open(video)
    for index, (rgb, _) in enumerate(video):
        yield index, rgb, tracker.update(rgb)


def as_table(steps: Iterator[tuple[int, Image, dict[int, Observation]]]) -> pd.DataFrame:
    """Steps of `track_all` as rows `frame`, `track_id`, `xmin`, `ymin`, `width`, `height`, `score`."""
    rows = [
        (frame, number, *(observation.box or (np.nan,) * 4), observation.score)
        for frame, _, seen in steps
        for number, observation in seen.items()
    ]
    return pd.DataFrame(rows, columns=["frame", "track_id", *XYWH, "score"])
