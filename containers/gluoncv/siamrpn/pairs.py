"""Training examples: a target's square, a square to search it in, and what each anchor there should answer."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from gluoncv.data.tracking_data.track import AnchorTarget
from gluoncv.data.transforms.track import SiamRPNaugmentation
from gluoncv.model_zoo.siamrpn.siamrpn_tracker import Center, Corner, center2corner

from .crops import Crop, Target
from .names import Settings

TEMPLATE_SHIFT, TEMPLATE_SCALE = 4, 0.05  # GluonCV's
POSITIVE, NEGATIVE = 16, 64  # at most so many anchors of a pair that show the target, of a negative pair that do not
ALL = 10**6  # all the others that do not show it: the loss chooses the hard ones


class Batch(NamedTuple):
    """`templates` [B, 3, 127, 127], `searched` [B, 3, S, S] BGR; of each anchor [B, A, R, R] whether it shows the
    target (1, 0, -1 = does not count), its box's code [B, 4, A, R, R] and how much that counts [B, A, R, R]."""

    templates: np.ndarray
    searched: np.ndarray
    classes: np.ndarray
    codes: np.ndarray
    weights: np.ndarray


class Draw(NamedTuple):
    """How examples are varied: chances within 0 to 1 but `shift` (pixels) and `scale` (relative)."""

    shift: int
    scale: float
    blur: float
    colour: float
    grey: float
    flip: float
    negative: float
    frame_range: int


class Pairs:
    """Draws batches of `size` pairs; a batch depends on its number and the seed alone."""

    def __init__(
        self, targets: Sequence[Target], settings: Settings, side: int, how: Draw, size: int, seed: int
    ) -> None:
        self._targets, self._settings, self._side, self._how = targets, settings, side, how
        self._size, self._seed = size, seed
        self._answers = AnchorTarget(
            settings.stride,
            settings.ratios,
            train_search_size=side,
            train_output_size=settings.score_size(side),
            train_pos_num=POSITIVE,
            train_neg_num=NEGATIVE,
            train_total_num=ALL,
        )
        augment = (how.blur, 0, how.colour)
        self._template = SiamRPNaugmentation(TEMPLATE_SHIFT, TEMPLATE_SCALE, *augment)
        self._searched = SiamRPNaugmentation(how.shift, how.scale, *augment)

    def batch(self, number: int) -> Batch:
        """Batch `number`."""
        np.random.seed([self._seed, number])  # GluonCV's transforms draw from the global generator
        rng = np.random.default_rng([self._seed, number])
        examples = [self._example(rng) for _ in range(self._size)]
        return Batch(*(np.stack(part).astype(np.float32) for part in zip(*examples, strict=True)))

    def _example(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        template, searched, negative = self._pair(rng)
        grey, flip = rng.random() < self._how.grey, rng.random() < self._how.flip
        first, _ = self._augmented(self._template, template, self._settings.exemplar, grey, flip)
        second, box = self._augmented(self._searched, searched, self._side, grey, flip)
        classes, codes, weights, _ = self._answers(box, self._settings.score_size(self._side), negative)
        return first.transpose(2, 0, 1), second.transpose(2, 0, 1), classes, codes, weights

    def _pair(self, rng: np.random.Generator) -> tuple[Crop, Crop, bool]:
        """A target and a square that shows it, or with the chance `negative` one that does not.

        The latter is of where the target was, or of one of another class: those of its own may look the same.
        """
        target = self._targets[rng.integers(len(self._targets))]
        template = _one(target.seen, rng)
        if rng.random() < self._how.negative:
            others = [other for other in self._targets if other.class_id != target.class_id]
            if target.gone and (rng.random() < 0.5 or not others):
                return template, _one(target.gone, rng), True
            if others:
                return template, _one(others[rng.integers(len(others))].seen, rng), True
        near = [crop for crop in target.seen if abs(crop.frame - template.frame) <= self._how.frame_range]
        return template, _one(near, rng), False

    def _augmented(
        self, augmentation: SiamRPNaugmentation, crop: Crop, side: int, grey: bool, flip: bool
    ) -> tuple[np.ndarray, Corner]:
        picture = crop.picture()
        middle = len(picture) // 2
        box = center2corner(Center(middle, middle, *crop.sides))
        picture, box = augmentation(picture, box, side, gray=grey)
        if flip:
            picture, box = cv2.flip(picture, 1), Corner(side - 1 - box.x2, box.y1, side - 1 - box.x1, box.y2)
        return picture, box


def crop_side(side: int, shift: int, scale: float) -> int:
    """Side of the squares to keep, from which any searched square of `side` pixels can be cut."""
    return 2 * (int(np.ceil(side * (1 + scale) / 2)) + shift) + 1


def _one(crops: Sequence[Crop], rng: np.random.Generator) -> Crop:
    return crops[rng.integers(len(crops))]
