"""Anchors of any width and height for GluonCV's SSD, in place of its sizes times ratios."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from detection.anchors import Anchors
from gluoncv.model_zoo.ssd.anchor import SSDAnchorGenerator

Sides = list[list[tuple[float, float]]]  # [level][anchor] = width, height in input pixels


class FittedAnchors(SSDAnchorGenerator):
    """Anchors of one level; `sides` are those of all of them."""

    def __init__(
        self, index: int, im_size: tuple, sizes: tuple, ratios: list, step: int, alloc_size: tuple, sides: Sides
    ):
        self._sides = sides[index]
        super().__init__(index, im_size, sizes, ratios, step, alloc_size)

    def _generate_anchors(
        self, sizes: tuple, ratios: list, step: int, alloc_size: tuple[int, int], offsets: tuple[float, float]
    ) -> np.ndarray:
        """[1, 1, rows, columns, anchors * 4]: centre x, centre y, width, height in input pixels."""
        rows, columns = alloc_size
        sides = np.array(self._sides, np.float32)
        grid = np.zeros((rows, columns, len(sides), 4), np.float32)
        grid[..., 0] = ((np.arange(columns) + offsets[1]) * step)[None, :, None]
        grid[..., 1] = ((np.arange(rows) + offsets[0]) * step)[:, None, None]
        grid[..., 2:] = sides
        return grid.reshape(1, 1, rows, columns, -1)

    @property
    def num_depth(self) -> int:
        """Anchors at each place."""
        return len(self._sides)


def generator(sides: Sides) -> Callable[..., FittedAnchors]:
    """What `get_ssd` takes as its `anchor_generator`."""
    return functools.partial(FittedAnchors, sides=sides)


def sides_of(fitted: Anchors) -> Sides:
    """Widths and heights of fitted anchors."""
    return [_level(sizes, ratios) for sizes, ratios in zip(fitted.sizes, fitted.ratios, strict=True)]


def _level(sizes: Sequence[float], ratios: Sequence[float]) -> list[tuple[float, float]]:
    return [(size / ratio**0.5, size * ratio**0.5) for size, ratio in zip(sizes, ratios, strict=True)]
