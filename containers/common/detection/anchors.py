"""Anchors fitted to the training boxes: k-means with the distance 1 - IoU (YOLOv2, arXiv 1612.08242)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Anchors:
    """`sizes[level][i]` = sqrt(area) in input pixels; `ratios[level][i]` = height / width of the same anchor."""

    sizes: list[list[float]]
    ratios: list[list[float]]
    mean_iou: float

    def lines(self, levels: list[str]) -> list[str]:
        """One printable line for each of the named levels: width x height of its anchors."""
        return [
            f"anchors {level}: " + ", ".join(f"{w:.0f}x{h:.0f}" for w, h in _sides(sizes, ratios))
            for level, sizes, ratios in zip(levels, self.sizes, self.ratios, strict=True)
        ]


def fit(sides: np.ndarray, weights: np.ndarray, levels: int, per_level: int, seed: int = 0) -> Anchors:
    """Fit `per_level` anchors for each of `levels` pyramid levels.

    The levels share the range of box sizes in equal factors, small boxes at the fine levels.

    Args: `sides` [N, 2] box widths and heights in input pixels; `weights` [N], how much a box counts.
    """
    sides = sides[(sides > 0).all(axis=1)] if len(sides) else np.array([[32.0, 32.0]])
    weights = weights if len(weights) == len(sides) else np.ones(len(sides))
    scale = np.log(sides.prod(axis=1)) / 2
    edges = np.linspace(*np.quantile(scale, [0.02, 0.98]), levels + 1)
    level_of = np.digitize(scale, edges[1:-1])
    fitted = []
    for level in range(levels):
        mine = level_of == level
        if not mine.any():
            mine = np.abs(scale - edges[level : level + 2].mean()).argsort()[:1]
        fitted.append(_k_means(sides[mine], weights[mine], per_level, np.random.default_rng(seed)))
    best = iou_of_sides(sides, np.concatenate(fitted)).max(axis=1)
    return Anchors(
        [np.sqrt(anchors.prod(axis=1)).round(2).tolist() for anchors in fitted],
        [(anchors[:, 1] / anchors[:, 0]).round(3).tolist() for anchors in fitted],
        float(np.average(best, weights=weights)),
    )


def iou_of_sides(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU of boxes that share their centre: [N, 2] and [M, 2] widths and heights to [N, M]."""
    overlap = np.minimum(first[:, None], second[None]).prod(axis=2)
    return overlap / (first.prod(axis=1)[:, None] + second.prod(axis=1)[None] - overlap)


def class_balance(class_ids: np.ndarray) -> np.ndarray:
    """Weights [N] under which every class counts by the square root of its share."""
    _, index, counts = np.unique(class_ids, return_inverse=True, return_counts=True)
    return 1 / np.sqrt(counts[index])


def _k_means(sides: np.ndarray, weights: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    centres = _first_centres(sides, weights, k, rng)
    for _ in range(100):
        nearest = iou_of_sides(sides, centres).argmax(axis=1)
        moved = centres.copy()
        for i in range(k):
            mine = nearest == i
            if mine.any():
                moved[i] = np.average(sides[mine], axis=0, weights=weights[mine])
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres[centres.prod(axis=1).argsort()]


def _first_centres(sides: np.ndarray, weights: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """k-means++: each further centre is drawn in proportion to its distance from those drawn."""
    centres = sides[[rng.choice(len(sides), p=weights / weights.sum())]]
    while len(centres) < k:
        distance = (1 - iou_of_sides(sides, centres).max(axis=1)) * weights
        share = distance / distance.sum() if distance.sum() > 1e-9 else None
        centres = np.concatenate([centres, sides[[rng.choice(len(sides), p=share)]]])
    return centres


def _sides(sizes: list[float], ratios: list[float]) -> list[tuple[float, float]]:
    """Widths and heights from sizes and ratios."""
    return [(size / ratio**0.5, size * ratio**0.5) for size, ratio in zip(sizes, ratios, strict=True)]
