"""From the name of a data set to channels in S3: what Lab 00 shows step by step, in one call for the other labs."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from lab_utils import channels, paths, s3
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.profiles import profile as profile_of
from lab_utils.session import LabSession

RENDERED = ("synthetic", "coco-shaped", "lisa-shaped")
DOWNLOADED = "coco-val2017"
_FORM = 1  # of validation, split and channels: raise it when one of them makes other channels of the same data
_ANNOTATIONS = {".xml", ".json", ".jsonl", ".manifest", ".txt", ".csv", ".h5", ".tfrecord", ".record", ".pbtxt"}


def load_dataset(
    dataset: str, *, profile: str = "laptop", seed: int = 0, lab: LabSession | None = None
) -> DetectionDataset:
    """Load a data set by its specification.

    Args:
        dataset: `synthetic` (railway scenes), `coco-shaped` (signs of 80 categories) or `lisa-shaped` (tracks of road
            signs), rendered on first use; `coco-val2017`, downloaded on first use; or
            `voc:PATH`, `coco:PATH`, `csv:PATH`, `via:PATH`, `manifest:PATH`, `frsign:PATH`, `lisa:PATH`,
            `tfrecord:PATH`, `recordio:PATH`, `sagemaker_json:PATH`, where PATH is a local path or an `s3://` prefix.
        profile: size of a rendered set; other sets are used whole.
        seed: seed of a rendered set.
        lab: session to download with, needed for `s3://` only.

    Raises:
        ConfigError: unknown kind of data set.
        DataError: the data cannot be read; the message names the file.
    """
    if dataset in RENDERED:
        return _rendered(dataset, profile, seed)
    if dataset == DOWNLOADED:
        from lab_utils import coco_download

        return coco_download.val2017(paths.home() / "downloads" / dataset)
    from lab_utils import formats

    kind, _, path = dataset.partition(":")
    if path.startswith("s3://"):
        path = str(_downloaded(lab, path))
    return formats.load(f"{kind}:{path}" if path else kind)


def dataset_name(dataset: str, *, profile: str = "laptop", seed: int = 0, lab: LabSession | None = None) -> str:
    """Name of a prepared data set in S3: `synthetic-laptop-0-1c8d5f0a`, `voc-bccd-0-77b2e94d`.

    Its end is a hash of what else determines the channels: the renderer's version and sizes, or the source's files
    (annotations by content, images by name and size). Changed data get another name, never another's channels.

    Args:
        dataset, profile, seed, lab: as for `load_dataset`.

    Raises:
        ConfigError: unknown kind of data set, no path or profile of that name, or no `lab` for `s3://`.
        DataError: the source does not exist.
    """
    from lab_utils import formats

    if dataset == DOWNLOADED:
        return f"{dataset}-{seed}"
    kind, path = (dataset, profile) if dataset in RENDERED else formats.parse(dataset)
    stem = Path(path.rstrip("/")).name
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{kind}-{stem}"[:30]).strip("-").lower()
    made_of = _rendering(kind, profile) if kind in RENDERED else sorted(_files(path, lab))
    digest = hashlib.sha256(json.dumps([_FORM, made_of]).encode()).hexdigest()
    return f"{readable}-{seed}-{digest[:8]}"


def split_dataset(dataset: DetectionDataset, *, seed: int = 0) -> dict[str, DetectionDataset]:
    """The source's official split if it has one, else a split by group (sequence, track, clip)."""
    from lab_utils import splits

    return splits.official(dataset) or splits.split(dataset, seed=seed)


def prepare(lab: LabSession, dataset: str, *, profile: str = "laptop", seed: int = 0) -> str:
    """Make sure a data set is in S3 as channels; does nothing when Lab 00 (or an earlier call) put it there.

    Returns:
        The data set's name for `channels.channels()` and `channels.fetch()`.
    """
    from lab_utils import validation

    name = dataset_name(dataset, profile=profile, seed=seed, lab=lab)
    if not channels.exists(lab, name):
        data = load_dataset(dataset, profile=profile, seed=seed, lab=lab)
        data = validation.drop_invalid(data, validation.validate(data))
        channels.upload(lab, split_dataset(data, seed=seed), name)
    return name


def _rendered(dataset: str, profile: str, seed: int) -> DetectionDataset:
    from lab_utils import synthetic
    from lab_utils.synthetic import coco_shaped, lisa_shaped

    size = profile_of(profile)
    root = paths.home() / "data" / f"{dataset}-{profile}-{seed}"
    if dataset == "coco-shaped":
        return coco_shaped.generate(root, images=size.images, longest=size.longest, seed=seed)
    if dataset == "lisa-shaped":
        return lisa_shaped.generate(root, tracks=size.tracks, frames=size.track_frames, longest=size.street, seed=seed)
    return synthetic.generate(root, sequences=size.sequences, frames=size.frames, size=size.size, seed=seed)


def _rendering(dataset: str, profile: str) -> list[object]:
    from lab_utils.synthetic import coco_shaped, lisa_shaped
    from lab_utils.synthetic.generate import VERSION

    size = profile_of(profile)
    if dataset == "coco-shaped":
        return [coco_shaped.VERSION, size.images, size.longest]
    if dataset == "lisa-shaped":
        return [lisa_shaped.VERSION, size.tracks, size.track_frames, size.street]
    return [VERSION, size.sequences, size.frames, *size.size]


def _files(path: str, lab: LabSession | None) -> Iterator[tuple[str, str]]:
    """Name below the source and what tells its content, annotations whole and others by size, for each of its files."""
    from lab_utils import formats

    if path.startswith("s3://"):
        yield from ((name, o["ETag"]) for name, o in s3.listing(_needed(lab, path), path).items())
        return
    source = Path(path).expanduser()
    files = list(source.rglob("*")) if source.is_dir() else [source] if source.is_file() else formats.shards(source)
    if not source.is_dir() and not files:
        raise DataError(f"{path} does not exist")
    for file in files:
        name = file.relative_to(source if file.is_relative_to(source) else source.parent).as_posix()
        if file.is_file() and not file.name.startswith("."):
            telling = file == source or file.suffix.lower().partition("-")[0] in _ANNOTATIONS
            yield name, _content(file) if telling else str(file.stat().st_size)


def _content(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _needed(lab: LabSession | None, uri: str) -> LabSession:
    if lab is None:
        raise ConfigError(f"{uri}: pass lab= (the session) to read from S3")
    return lab


def _downloaded(lab: LabSession | None, uri: str) -> Path:
    lab = _needed(lab, uri)
    bucket, key = s3.parse(uri.rstrip("/"))
    folder = paths.home() / "downloads" / lab.backend / bucket / key
    s3.download(lab, uri, folder)
    return folder
