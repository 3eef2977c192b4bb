"""From the name of a data set to channels in S3: what Lab 00 shows step by step, in one call for the other labs."""

import re
from pathlib import Path

from lab_utils import channels, paths, s3
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError
from lab_utils.profiles import profile as profile_of
from lab_utils.session import LabSession


def load_dataset(
    dataset: str, *, profile: str = "laptop", seed: int = 0, lab: LabSession | None = None
) -> DetectionDataset:
    """Load a data set by its specification.

    Args:
        dataset: `synthetic` (railway scenes, rendered on first use), or `voc:PATH`, `coco:PATH`, `manifest:PATH`,
            `frsign:PATH`, where PATH is a local path or an `s3://` prefix.
        profile: size of the synthetic set; other sets are used whole.
        seed: seed of the synthetic set.
        lab: session to download with, needed for `s3://` only.

    Raises:
        ConfigError: unknown kind of data set.
        DataError: the data cannot be read; the message names the file.
    """
    if dataset == "synthetic":
        from lab_utils import synthetic

        size = profile_of(profile)
        root = paths.home() / "data" / f"synthetic-{profile}-{seed}"
        return synthetic.generate(root, sequences=size.sequences, frames=size.frames, size=size.size, seed=seed)
    from lab_utils import formats

    kind, _, path = dataset.partition(":")
    if path.startswith("s3://"):
        path = str(_downloaded(lab, path))
    return formats.load(f"{kind}:{path}" if path else kind)


def dataset_name(dataset: str, *, profile: str = "laptop", seed: int = 0) -> str:
    """Name of a prepared data set in S3: `synthetic-laptop-0`, `voc-bccd-0`."""
    kind, _, path = dataset.partition(":")
    stem = profile if kind == "synthetic" else Path(path.rstrip("/")).name
    return re.sub(r"[^A-Za-z0-9-]+", "-", f"{kind}-{stem}-{seed}").strip("-").lower()


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

    name = dataset_name(dataset, profile=profile, seed=seed)
    if not channels.exists(lab, name):
        data = load_dataset(dataset, profile=profile, seed=seed, lab=lab)
        data = validation.drop_invalid(data, validation.validate(data))
        channels.upload(lab, split_dataset(data, seed=seed), name)
    return name


def _downloaded(lab: LabSession | None, uri: str) -> Path:
    if lab is None:
        raise ConfigError(f"{uri}: pass lab= (the session) to read from S3")
    bucket, key = s3.parse(uri.rstrip("/"))
    folder = paths.home() / "downloads" / lab.backend / bucket / key
    s3.download(lab, uri, folder)
    return folder
