"""What the actions of `labs data` do; each returns the exit code."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab_utils.errors import ConfigError, DataError

if TYPE_CHECKING:
    from lab_utils.dataset import DetectionDataset

_SPLITS = ("training", "validation", "test")


def fractions(text: str) -> dict[str, float]:
    """`0.8,0.2` or `0.7,0.15,0.15` as shares of the splits."""
    shares = [float(share) for share in text.split(",")]
    if len(shares) not in (2, 3) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise argparse.ArgumentTypeError(f"{text}: expected two or three shares that sum to 1, such as 0.8,0.2")
    return dict(zip(_SPLITS, shares, strict=False))


def mapped(text: str) -> tuple[str, str]:
    """`THERE=HERE`."""
    there, _, here = text.partition("=")
    if not there or not here:
        raise argparse.ArgumentTypeError(f"{text}: expected THERE=HERE")
    return there, here


def check(options: argparse.Namespace) -> int:
    """Print the validator's report."""
    from lab_utils import validation

    report = validation.validate(_load(options.source), pixels=not options.no_pixels)
    print(report)
    return 1 if len(report.errors) else 0


def convert(options: argparse.Namespace) -> int:
    """Write a data set as another specification says."""
    from lab_utils.formats.convert import convert

    print(convert(_load(options.source), options.target, images=not options.no_images))
    return 0


def csv(options: argparse.Namespace) -> int:
    """Write the CSV file; without a specification a folder is VOC's, a .json VIA's."""
    from lab_utils.formats import csv

    dataset = _load(_spec(options.source, {".json": "via", "": "voc"}))
    csv.write(dataset, options.target)
    print(f"{options.target}: {len(dataset.boxes):,} boxes in {len(dataset):,} images")
    return 0


def labelmap(options: argparse.Namespace) -> int:
    """Write the label map of a list, a CSV file or a data set."""
    from lab_utils.tfod import label_map

    if options.source.endswith(".txt"):
        classes = _lines(Path(options.source))
    else:
        classes = list(_load(_spec(options.source, {".csv": "csv"})).classes)
    label_map.write(options.target, label_map.numbered(classes))
    print(f"{options.target}: {len(classes)} classes")
    return 0


def split(options: argparse.Namespace) -> int:
    """Write a CSV file a split."""
    from lab_utils.formats import csv

    for name, part in _parts(_load(options.source), options).items():
        path = csv.write(part, options.target / f"{name}.csv")
        print(f"{path}: {len(part.boxes):,} boxes in {len(part):,} images")
    return 0


def tfrecord(options: argparse.Namespace) -> int:
    """Write records and label map."""
    from lab_utils import validation
    from lab_utils.formats import tfrecord

    dataset = _load(options.source)
    if options.classes:
        dataset = dataset.only_classes(options.classes.split(","))
    dataset = validation.drop_invalid(dataset, validation.validate(dataset))
    parts = _parts(dataset, options)
    for name, account in tfrecord.write_splits(parts, options.target, shards=options.shards, progress=True).items():
        print(f"{name}: {account}")
    return 0


def config(options: argparse.Namespace) -> int:
    """Write a configuration for the records of a folder."""
    from lab_utils import atomic
    from lab_utils.tfod import label_map, pipeline, textproto

    if options.steps < 1 or options.batch_size < 1:
        raise ConfigError(f"--steps {options.steps} --batch-size {options.batch_size}: expected at least 1 of each")
    at = options.at or str(options.records)
    paths = (f"{at}/{_pattern(options.records, split)}" for split in ("training", "validation"))
    data = pipeline.Data(len(label_map.read(options.records / "label_map.pbtxt")), f"{at}/label_map.pbtxt", *paths)
    settings = {"steps": options.steps, "batch_size": options.batch_size, "checkpoint": options.checkpoint}
    if Path(options.base).is_file():
        base = textproto.parse(Path(options.base).read_text(encoding="utf-8"), options.base)
        rate = options.learning_rate or pipeline.RATE * options.batch_size
        made = pipeline.fitted(base, data, learning_rate=rate, **settings)
    else:
        made = pipeline.build(options.base, data, learning_rate=options.learning_rate, **settings)
    atomic.write_text(options.target, str(made))
    print(options.target)
    return 0


def lint(options: argparse.Namespace) -> int:
    """Print the findings, a line each."""
    from lab_utils.tfod.lint import lint

    settings = {"steps": options.steps, "device": options.device, "extractors": options.extractor}
    found = lint(options.config, mapping=dict(options.path), **settings)
    for finding in found:
        print(finding)
    errors = sum(finding.severity == "error" for finding in found)
    print(f"{options.config}: {errors} errors, {sum(f.severity == 'warning' for f in found)} warnings")
    return 1 if errors else 0


def _load(source: str) -> DetectionDataset:
    from lab_utils.prepare import load_dataset

    return load_dataset(source)


def _spec(source: str, kinds: dict[str, str]) -> str:
    """A specification as it is; a bare path as the kind that its suffix, or that of a folder, "", stands for."""
    path = Path(source)
    kind = kinds.get("" if path.is_dir() else path.suffix.lower())
    return f"{kind}:{source}" if kind and path.exists() else source


def _parts(dataset: DetectionDataset, options: argparse.Namespace) -> dict[str, DetectionDataset]:
    """The splits: of the shares given, or the set's own."""
    from lab_utils import splits
    from lab_utils.prepare import split_dataset

    if options.group:
        dataset = splits.regrouped(dataset, options.group)
    if not dataset.has_groups:
        print("every image is a group of its own; if several show the same scene, tell with --group")
    if options.fractions:
        dataset = replace(dataset, images=dataset.images.assign(split=""))
        return splits.split(dataset, options.fractions, seed=options.seed)
    return split_dataset(dataset, seed=options.seed)


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _pattern(folder: Path, split: str) -> str:
    """Name of a split's file in a folder, or the pattern of its shards."""
    from lab_utils.tfod import record_file

    first = record_file.find(folder / f"{split}.tfrecord")[0].name
    return first.replace("-00000-of-", "-?????-of-")
