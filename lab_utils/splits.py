"""Splits that never cut a group, and the proof that nothing leaks between them.

Frames of one sequence look alike: spread over training and test, they turn the test into a memory exercise.
"""

import hashlib
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from lab_utils.dataset import SPLITS, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.pixels import Fingerprint, fingerprints

FRACTIONS = {"training": 0.7, "validation": 0.15, "test": 0.15}
NEAR_BITS = 10  # of 256: a recompressed or rescaled copy differs in fewer
_LEAK_COLUMNS = ["kind", "split_a", "split_b", "file_a", "file_b", "detail"]
_BLOCK = 2048
_ATTEMPTS = 32


def split(
    dataset: DetectionDataset,
    fractions: Mapping[str, float] = FRACTIONS,
    *,
    by: str = "group",
    stratify: bool = True,
    seed: int = 0,
) -> dict[str, DetectionDataset]:
    """Divide a data set by whole groups.

    Groups are taken in the order of a seeded hash of their names, so the order of rows or files plays no part. With
    `stratify`, classes are dealt out from the rarest on, each group to the split that lacks most images of that class
    (iterative stratification, Sechidis et al. 2011, on groups); images without boxes count as a class of their own. A
    class with at least as many groups as there are splits is in every split, unless groups that hold several classes
    make that impossible.

    Args:
        fractions: split name -> share of the images; they sum to 1.
        by: column of `images` that names the group.
        seed: another seed, another split.

    Raises:
        ConfigError: fractions that do not sum to 1, no such column, or a split that would be empty.
    """
    _check(dataset, fractions, by)
    names, contents = _group_contents(dataset, by, stratify)
    dealt = _best_deal(names, contents, np.array(list(fractions.values())), seed)
    split_of = dict(zip(names, dealt.tolist(), strict=True))
    member = dataset.images[by].astype(str).map(split_of)
    parts = {name: dataset.where(member == i) for i, name in enumerate(fractions)}
    for name, part in parts.items():
        if not len(part):
            raise ConfigError(f"split {name!r} is empty: {len(names)} groups for {len(fractions)} splits")
    return parts


def regrouped(dataset: DetectionDataset, pattern: str) -> DetectionDataset:
    """The data set with groups that a regular expression finds in the file names.

    Args:
        pattern: its first parenthesis is the group, as in `(clip\\d+)_`; an image without a match keeps its own.

    Raises:
        ConfigError: no regular expression, one without a parenthesis, or one that matches no file name.
    """
    try:
        found = dataset.images["file_name"].str.extract(re.compile(pattern))[0]
    except (re.error, ValueError) as error:
        raise ConfigError(f"group {pattern!r}: {error}; expected a regular expression with (the group)") from None
    if found.isna().all():
        raise ConfigError(f"group {pattern!r}: matches no file name, such as {dataset.images['file_name'].iloc[0]}")
    return replace(dataset, images=dataset.images.assign(group=found.fillna(dataset.images["group"])))


def official(dataset: DetectionDataset) -> dict[str, DetectionDataset] | None:
    """The split that came with the data, or None; warns of images that are in no part of it."""
    present = [name for name in SPLITS if (dataset.images["split"] == name).any()]
    if not present:
        return None
    parts = {name: dataset.where(dataset.images["split"] == name) for name in present}
    if left_out := len(dataset) - sum(map(len, parts.values())):
        warnings.warn(f"{left_out} of {len(dataset)} images are in no official split", stacklevel=2)
    return parts


def audit_leakage(
    splits: Mapping[str, DetectionDataset], *, pixels: bool = True, near_bits: int = NEAR_BITS, progress: bool = True
) -> pd.DataFrame:
    """Everything that two splits share; an empty table is the proof sought.

    Args:
        splits: split name -> data set.
        pixels: compare image files too, not only groups.
        near_bits: images whose 256-bit difference hashes differ in at most this many bits are near-duplicates.

    Returns:
        One row a finding: `kind` ("group", "identical" bytes, "near-duplicate"), `split_a`, `split_b`, `file_a`,
        `file_b` (the group's name, for a group), `detail`.

    Raises:
        DataError: an image cannot be read.
    """
    found = {name: _fingerprints(part, name, progress) for name, part in splits.items()} if pixels else {}
    rows: list[tuple[str, ...]] = []
    for a, b in combinations(splits, 2):
        shared = sorted(set(splits[a].images["group"]) & set(splits[b].images["group"]))
        rows += [("group", a, b, group, group, "in both splits") for group in shared]
        if pixels:
            files = splits[a].images["file_name"].tolist(), splits[b].images["file_name"].tolist()
            rows += [
                (kind, a, b, files[0][i], files[1][j], detail)
                for kind, i, j, detail in _alike(found[a], found[b], near_bits)
            ]
    return pd.DataFrame(rows, columns=_LEAK_COLUMNS)


def _check(dataset: DetectionDataset, fractions: Mapping[str, float], by: str) -> None:
    if by not in dataset.images:
        raise ConfigError(f"by={by!r}: no such column; expected one of {', '.join(map(str, dataset.images))}")
    if not fractions or min(fractions.values()) <= 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise ConfigError(f"fractions {dict(fractions)}: expected positive shares that sum to 1")


def _group_contents(dataset: DetectionDataset, by: str, stratify: bool) -> tuple[list[str], np.ndarray]:
    """Names of the groups, and images of each group by class: int64 [groups, classes + negatives]."""
    groups = dataset.images[by].astype(str)
    names = sorted(set(groups))
    row_of_image = pd.Series(
        groups.map({name: i for i, name in enumerate(names)}).to_numpy(), dataset.images["image_id"]
    )
    contents = np.zeros((len(names), len(dataset.classes) + 1), dtype=np.int64)
    pairs = dataset.boxes[["image_id", "class_id"]].drop_duplicates() if stratify else dataset.boxes[:0]
    np.add.at(contents, (row_of_image[pairs["image_id"]].to_numpy(), pairs["class_id"].to_numpy()), 1)
    rest = row_of_image[~row_of_image.index.isin(pairs["image_id"])]
    np.add.at(contents[:, -1], rest.to_numpy(), 1)
    return names, contents


def _best_deal(names: list[str], contents: np.ndarray, fractions: np.ndarray, seed: int) -> np.ndarray:
    """The split of each group, [groups]: of several orders of dealing, the first that leaves no class out."""
    enough = (contents > 0).sum(axis=0) >= len(fractions)
    best, fewest = np.zeros(len(names), dtype=int), np.inf
    for attempt in range(_ATTEMPTS):
        keys = [hashlib.sha256(f"{seed}:{attempt}:{name}".encode()).digest() for name in names]
        order = sorted(range(len(names)), key=keys.__getitem__)
        dealt = np.empty(len(names), dtype=int)
        dealt[order] = _repaired(_deal(contents[order], fractions), contents[order] > 0, len(fractions))
        gaps = sum((contents[dealt == s].sum(axis=0)[enough] == 0).sum() for s in range(len(fractions)))
        if gaps < fewest:
            best, fewest = dealt, gaps
        if not gaps:
            break
    return best


def _deal(contents: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """The split of each group, [groups], given images by class, [groups, classes]; groups come in order of dealing."""
    holds = contents > 0
    dealt = np.full(len(contents), -1)
    have = np.zeros((len(fractions), contents.shape[1]))
    wanted = fractions[:, None] * contents.sum(axis=0)
    by_rarity = np.argsort(holds.sum(axis=0), kind="stable")
    for column in by_rarity:
        for group in np.flatnonzero(holds[:, column] & (dealt < 0)):
            left = np.count_nonzero(holds[:, column] & (dealt < 0))
            lacking = have[:, column] == 0
            deficit = wanted[:, column] - have[:, column]
            if lacking.sum() >= left:  # the last chances to have the class everywhere
                deficit = np.where(lacking, deficit, -np.inf)
            overall = (wanted - have).sum(axis=1)
            dealt[group] = np.lexsort((-np.arange(len(fractions)), overall.round(9), deficit.round(9)))[-1]
            have[dealt[group]] += contents[group]
    return dealt


def _repaired(dealt: np.ndarray, holds: np.ndarray, splits: int) -> np.ndarray:
    """Move a group where that brings a missing class to a split and takes none from another."""
    for column in range(holds.shape[1]):
        for target in range(splits):
            groups = np.flatnonzero(holds[:, column])
            if len(groups) < splits or (dealt[groups] == target).any():
                continue
            for group in groups:
                others = holds[(dealt == dealt[group]) & (np.arange(len(dealt)) != group)]
                if others[:, holds[group]].any(axis=0).all():
                    dealt[group] = target
                    break
    return dealt


def _fingerprints(dataset: DetectionDataset, name: str, progress: bool) -> list[Fingerprint]:
    paths = [dataset.root / file for file in dataset.images["file_name"]]
    results = fingerprints(paths, what=f"audit {name}", progress=progress)
    for result in results:
        if isinstance(result, DataError):
            raise result
    return [result for result in results if isinstance(result, Fingerprint)]


def _alike(a: list[Fingerprint], b: list[Fingerprint], near_bits: int) -> Iterator[tuple[str, int, int, str]]:
    bits_a, bits_b = _bits(a), _bits(b)
    for start in range(0, len(a), _BLOCK):
        block = bits_a[start : start + _BLOCK]
        distance = block.sum(axis=1)[:, None] + bits_b.sum(axis=1)[None] - 2 * block @ bits_b.T
        for i, j in zip(*np.nonzero(distance <= near_bits), strict=True):
            same = a[start + i].sha256 == b[j].sha256
            kind = "identical" if same else "near-duplicate"
            yield kind, start + i, j, "same bytes" if same else f"{int(distance[i, j])} of 256 bits differ"


def _bits(found: list[Fingerprint]) -> np.ndarray:
    """Hashes as float32 [N, 256] of 0 and 1: their distances are then one matrix product."""
    packed = np.frombuffer(b"".join(f.dhash for f in found), dtype=np.uint8).reshape(-1, 32)
    return np.unpackbits(packed, axis=1).astype(np.float32)
