"""The seven FRSign chassis: plate outline, lamp positions and the aspects each can show.

Lengths are metres, measured from the plate's top-left corner, x to the right and y down.
"""

from dataclasses import dataclass
from functools import cached_property

Rect = tuple[float, float, float, float]

LAMP_RADIUS = 0.13


@dataclass(frozen=True)
class Chassis:
    """One kind of signal head.

    `parts` are (left, top, right, bottom) rectangles whose union is the plate; `corner` says how the
    plate's corners are made ("round" or "cut") and `corner_size` how large they are.
    """

    name: str
    size: tuple[float, float]
    parts: tuple[Rect, ...]
    lamps: tuple[tuple[float, float], ...]
    aspects: dict[str, dict[int, str]]
    corner: str = "round"
    corner_size: float = 0.12

    @cached_property
    def aspect_ratio(self) -> float:
        """Width over height of the plate."""
        return self.size[0] / self.size[1]


def _column(x: float, first: float, count: int, pitch: float = 0.43) -> tuple[tuple[float, float], ...]:
    return tuple((x, round(first + pitch * i, 3)) for i in range(count))


def _row(y: float, first: float, count: int, pitch: float) -> tuple[tuple[float, float], ...]:
    return tuple((round(first + pitch * i, 3), y) for i in range(count))


_CHASSIS = (
    Chassis(
        "Chassis A (3 feux verticaux)",
        size=(0.76, 1.6),
        parts=((0, 0, 0.76, 1.6),),
        lamps=_column(0.38, 0.37, 3),
        aspects={
            "voie libre": {0: "green"},
            "semaphore": {1: "red"},
            "avertissement": {2: "yellow"},
        },
        corner_size=0.38,
    ),
    Chassis(
        "Chassis C (5 feux verticaux)",
        size=(0.76, 2.45),
        parts=((0, 0, 0.76, 2.45),),
        lamps=_column(0.38, 0.365, 5),
        aspects={
            "voie libre": {2: "green"},
            "semaphore": {1: "red"},
            "carre": {1: "red", 3: "red"},
            "avertissement": {4: "yellow"},
            "manoeuvre": {0: "white"},
        },
        corner="cut",
        corner_size=0.2,
    ),
    Chassis(
        "Chassis F (6 & 1 feux en L inverse)",
        size=(1.36, 2.75),
        parts=((0.68, 0, 1.36, 2.75), (0, 2.03, 1.36, 2.75)),
        lamps=(*_column(1.02, 0.28, 6), (0.38, 2.43)),
        aspects={
            "voie libre": {2: "green"},
            "carre": {1: "red", 3: "red"},
            "avertissement": {5: "yellow"},
            "ralentissement 30": {5: "yellow", 6: "yellow"},
        },
    ),
    Chassis(
        "Chassis H (6 & 3 feux en S)",
        size=(1.4, 3.1),
        parts=((0, 0.4, 0.7, 3.1), (0.7, 0, 1.4, 1.45), (0, 0.4, 1.4, 1.45)),
        lamps=(*_column(0.35, 0.72, 6, 0.42), *_column(1.05, 0.3, 3)),
        aspects={
            "voie libre": {2: "green"},
            "carre": {1: "red", 3: "red"},
            "avertissement": {5: "yellow"},
            "rappel 30": {6: "yellow", 8: "yellow"},
            "ralentissement 30": {0: "yellow", 7: "yellow"},
        },
    ),
    Chassis(
        "Chassis ID2 (2 feux horizontaux)",
        size=(1.8, 1.06),
        parts=((0, 0, 1.8, 1.06),),
        lamps=_row(0.53, 0.5, 2, 0.8),
        aspects={"direction 1": {0: "white"}, "direction 2": {0: "white", 1: "white"}},
        corner_size=0.5,
    ),
    Chassis(
        "Chassis ID3 (3 feux horizontaux)",
        size=(2.75, 1.06),
        parts=((0, 0, 2.75, 1.06),),
        lamps=_row(0.53, 0.575, 3, 0.8),
        aspects={
            "direction 1": {0: "white"},
            "direction 2": {0: "white", 1: "white"},
            "direction 3": {0: "white", 1: "white", 2: "white"},
        },
        corner="cut",
        corner_size=0.22,
    ),
    Chassis(
        "Chassis R (6 feux dans un disque)",
        size=(1.65, 1.65),
        parts=((0, 0, 1.65, 1.65),),
        lamps=((0.5, 0.38), (1.15, 0.38), (0.31, 0.86), (1.34, 0.86), (0.56, 1.3), (1.09, 1.3)),
        aspects={
            "ralentissement 30": {0: "yellow", 1: "yellow"},
            "rappel 30": {0: "yellow", 4: "yellow"},
            "avertissement": {2: "yellow"},
            "voie libre": {3: "green"},
        },
        corner_size=0.825,
    ),
)

CHASSIS: tuple[str, ...] = tuple(c.name for c in _CHASSIS)
BY_NAME: dict[str, Chassis] = {c.name: c for c in _CHASSIS}
