"""Furnishes the line of a sequence: masts, wires, trees, houses and things easily taken for signals."""

from collections.abc import Iterator

import numpy as np

from .atmosphere import Atmosphere, Colour
from .buildings import Building, Platform
from .furniture import Board, Cabinet, CatenaryMast, Item, LampPost, Portal, TailLights, Wires
from .sequences import TRACK_SPACING, SequenceSpec
from .vegetation import Grove, Tree

BEHIND, AHEAD = -120.0, 380.0
_TREES = {"open": 26, "forest": 110, "town": 36, "station": 24}
_WALLS: tuple[Colour, ...] = ((196, 182, 158), (168, 150, 138), (206, 200, 190), (150, 92, 74), (182, 170, 120))
_BOARDS: tuple[tuple[str, Colour, Colour], ...] = (
    ("square", (236, 236, 232), (24, 24, 26)),
    ("diamond", (240, 240, 236), (24, 24, 26)),
    ("disc", (240, 240, 236), (196, 40, 36)),
    ("disc", (226, 178, 40), (30, 30, 30)),
    ("triangle", (228, 186, 44), (30, 30, 30)),
    ("square", (32, 60, 140), (236, 236, 236)),
    ("square", (30, 31, 34), (200, 200, 200)),
)


def furnish(spec: SequenceSpec, rng: np.random.Generator) -> list[Item]:
    """Everything built along the line, signals included, far things first."""
    outer = (spec.tracks - 1) * TRACK_SPACING
    items: list[Item] = [*spec.sites]
    items += [Portal(s.along + 0.6, -4.2, outer + 4.2, beam=8.0) for s in spec.sites if s.mount == "gantry"]
    if rng.random() < 0.85:
        items += _electrification(spec, outer, rng)
    items += _distractors(outer, rng)
    if spec.setting == "town":
        items += _houses(outer, rng)
    if spec.setting == "station":
        items += _station(outer, rng)
    return sorted(items, key=lambda item: -(item.along + getattr(item, "length", 0.0)))


def _electrification(spec: SequenceSpec, outer: float, rng: np.random.Generator) -> Iterator[Item]:
    pitch, first = 50.0, float(rng.uniform(10, 20))
    portals = spec.tracks > 1 and rng.random() < 0.4
    for along in np.arange(first - 150, AHEAD, pitch):
        if portals:
            yield Portal(float(along), -3.6, outer + 3.6)
            continue
        yield CatenaryMast(float(along), -3.6, 0.0)
        if spec.tracks > 1:
            yield CatenaryMast(float(along) + 3, outer + 3.6, outer)
    for track in range(spec.tracks):
        yield Wires(600, track * TRACK_SPACING, first, pitch)


def plant(spec: SequenceSpec, air: Atmosphere, rng: np.random.Generator) -> list[Tree]:
    """The trees beside the line, far ones first."""
    outer = (spec.tracks - 1) * TRACK_SPACING
    grove = Grove(air, rng)
    trees = []
    for _ in range(_TREES[spec.setting]):
        tall = rng.uniform(1.5, 3.5) if rng.random() < 0.3 else rng.uniform(5, 13)
        away = 5 + 0.4 * tall + rng.exponential(9 if spec.setting == "forest" else 18)
        x = -away if rng.random() < 0.5 else outer + away
        kind = int(rng.integers(len(grove.kinds)))
        trees.append(Tree(float(rng.uniform(BEHIND, AHEAD)), float(x), float(tall), kind, grove))
    return sorted(trees, key=lambda tree: -tree.along)


def _distractors(outer: float, rng: np.random.Generator) -> Iterator[Item]:
    for _ in range(rng.integers(5, 10)):
        along = float(rng.uniform(BEHIND, 160))
        left = rng.random() < 0.5
        x = float(-rng.uniform(2.6, 5.5) if left else outer + rng.uniform(2.6, 5.5))
        kind = rng.choice(("board", "board", "cabinet", "lamp"))
        if kind == "board":
            shape, colour, ink = _BOARDS[rng.integers(len(_BOARDS))]
            size, height = rng.uniform(0.5, 1.0), rng.uniform(1.2, 3.6)
            yield Board(along, x, float(height), float(size), shape, colour, ink, int(rng.integers(0, 4)))
        elif kind == "cabinet":
            bottom = float(rng.choice((0, 0, 1.6, 2.6)))
            grey = int(rng.integers(90, 190))
            width, height = rng.uniform(0.5, 1.2), rng.uniform(0.6, 1.5)
            yield Cabinet(along, x, bottom, float(width), float(height), (grey, grey, grey - 8))
        else:
            reach = float(rng.uniform(-0.2, 1.2)) * (1 if left else -1)
            yield LampPost(along, x - 2 if left else x + 2, float(rng.uniform(4, 7)), reach)
    if outer and rng.random() < 0.35:
        livery = tuple(int(c) for c in rng.integers(60, 220, 3))
        yield TailLights(float(rng.uniform(25, 220)), outer, (livery[0], livery[1], livery[2]))


def _houses(outer: float, rng: np.random.Generator) -> Iterator[Item]:
    for side in (-1, 1):
        along = float(rng.uniform(BEHIND, BEHIND + 40))
        while along < AHEAD * 0.8:
            length, floors = float(rng.uniform(10, 26)), int(rng.integers(1, 5))
            away = rng.uniform(9, 20)
            x = float(-away if side < 0 else outer + away)
            lit = tuple(bool(v) for v in rng.random(floors * int(length // 3)) < 0.35)
            colour = _WALLS[rng.integers(len(_WALLS))]
            yield Building(along, x, length, float(rng.uniform(8, 14)), floors * 3.1, colour, floors, lit)
            along += length + float(rng.uniform(2, 45))


def _station(outer: float, rng: np.random.Generator) -> Iterator[Item]:
    start, length = float(rng.uniform(-60, 40)), float(rng.uniform(80, 160))
    for x in (-1.7 - 2.6, outer + 1.7):
        if rng.random() < 0.75:
            yield Platform(start, x, length, 2.6 if x < 0 else 5.0)
            for along in np.arange(start + 5, start + length, 22):
                yield LampPost(float(along), x + (-1.8 if x < 0 else 3.2), 5.0, 0.6 if x < 0 else -0.6)
