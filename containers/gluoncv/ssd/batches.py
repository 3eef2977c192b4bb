"""An epoch's batches as NumPy arrays: shuffled, one share for each host."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .pictures import TrainingPictures

Batch = tuple[np.ndarray, np.ndarray]  # inputs [B, 3, H, W]; labels [B, M, 5], xyxy and class id, -1 = no box


class Batches:
    """Batches of `size` examples on each of `hosts`, drawn anew for every epoch from the seed and its number."""

    def __init__(
        self,
        records: list[dict[str, Any]],
        pictures: TrainingPictures,
        size: int,
        seed: int,
        rank: int = 0,
        hosts: int = 1,
    ) -> None:
        self._records, self._pictures, self._size = records, pictures, size
        self._seed, self._rank, self._hosts = seed, rank, hosts

    def __len__(self) -> int:
        return -(-len(self._records) // (self._size * self._hosts))

    def epoch(self, number: int) -> Iterator[Batch]:
        """The epoch's batches, all of the same size: the last one is filled up with the first examples."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._records))
        order = np.resize(order, (len(self), self._hosts, self._size))[:, self._rank]
        rng = np.random.default_rng([self._seed, number, self._rank, 1])
        for chosen in order:
            yield stack([self._pictures.draw(self._records[i], rng) for i in chosen])


def stack(examples: list[tuple[np.ndarray, np.ndarray]]) -> Batch:
    """One batch of examples; inputs of different sizes are padded with the mean colour, labels with -1."""
    height, width = (max(image.shape[axis] for image, _ in examples) for axis in (1, 2))
    most = max(1, *(len(labels) for _, labels in examples))
    images = np.zeros((len(examples), 3, height, width), np.float32)
    filled = np.full((len(examples), most, 5), -1, np.float32)
    for i, (image, labels) in enumerate(examples):
        images[i, :, : image.shape[1], : image.shape[2]] = image
        filled[i, : len(labels)] = labels
    return images, filled
