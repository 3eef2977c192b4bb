"""What a detector sees beside the object that is followed: its like, for which it must not be taken."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lab_utils.tracking.detection import assign, box_of, overlapping
from lab_utils.tracking.motion import Flow
from lab_utils.tracking.overlap import overlaps
from lab_utils.tracking.tracker import Box

_MISSES = 3  # looks in vain after which a neighbour is forgotten: it was none, or has gone by
_SEEN = 2  # looks that saw it, from which it is one: detectors see things


@dataclass
class _Neighbour:
    box: Box
    seen: int = 1
    missed: int = 0


class Neighbours:
    """The places of the others in frames of `size` (width, height), which the camera's motion moves."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size, self._known = size, list[_Neighbour]()

    @property
    def boxes(self) -> list[Box]:
        """Where those are that were seen more than once."""
        return [one.box for one in self._known if one.seen >= _SEEN]

    def move(self, flow: Flow) -> None:
        """The picture has moved."""
        for one in self._known:
            one.box = flow.carried(one.box)

    def strangers(self, seen: pd.DataFrame, place: Box) -> pd.DataFrame:
        """The detections that are none of them, when the object is expected in `place`."""
        others = [row for index, row in assign([place, *self.boxes], seen).items() if index > 0]
        return seen.drop(index=seen.index[others])

    def remember(self, seen: pd.DataFrame, own: Box) -> None:
        """All detections but those of the object itself, which is in `own`, are neighbours."""
        others = seen.iloc[[row for row in range(len(seen)) if overlapping(seen.iloc[[row]], own, least=0.2) is None]]
        matched = assign([one.box for one in self._known], others)
        for index, one in enumerate(self._known):
            if index in matched:
                one.box, one.seen, one.missed = box_of(others.iloc[matched[index]]), one.seen + 1, 0
            elif is_inside(one.box, self._size):
                one.missed += 1
        new = [box_of(others.iloc[row]) for row in range(len(others)) if row not in matched.values()]
        kept = [one for one in self._known if one.missed < _MISSES and not _touches(one.box, own)]
        self._known = kept + [_Neighbour(box) for box in new]


def _touches(box: Box, own: Box) -> bool:
    return bool(overlaps([box], [own])[0] > 0.2)


def is_inside(box: Box, size: tuple[int, int]) -> bool:
    """Is the middle of the box inside a frame of that width and height?"""
    return 0 <= box[0] + box[2] / 2 < size[0] and 0 <= box[1] + box[3] / 2 < size[1]
