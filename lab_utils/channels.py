"""A data set as SageMaker channels: one S3 prefix of images a split, and one of augmented manifests.

Layout below `s3://bucket/prefix/data/<name>/`: `training/`, `validation/`, `test/` hold the images under their file
names, `annotation/` holds `training.manifest`, `validation.manifest` and `test.manifest`.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab_utils import paths, s3
from lab_utils.dataset import SPLITS, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import manifest
from lab_utils.session import LabSession

ATTRIBUTE = "signals"  # label attribute of the manifests


def base_uri(lab: LabSession, name: str) -> str:
    """Prefix of a data set's channels."""
    return lab.uri("data", name)


def channels(lab: LabSession, name: str) -> dict[str, str]:
    """Channel name -> S3 URI, for `InputData(channel_name=..., data_source=...)`."""
    return {channel: f"{base_uri(lab, name)}/{channel}" for channel in (*SPLITS, "annotation")}


def upload(lab: LabSession, splits: Mapping[str, DetectionDataset], name: str) -> dict[str, str]:
    """Upload the splits' images, then their manifests; what is there already is not sent again.

    Args:
        splits: split name -> data set.
        name: name of the data set in S3.

    Returns:
        The channels, as `channels()`.
    """
    uris = channels(lab, name)
    for split, dataset in splits.items():
        files = {file: dataset.root / file for file in dataset.images["file_name"]}
        s3.upload(lab, files, uris[split], what=f"upload {split}")
    with tempfile.TemporaryDirectory() as folder:
        files = {f"{split}.manifest": Path(folder, f"{split}.manifest") for split in splits}
        for split, dataset in splits.items():
            manifest.write(
                dataset,
                files[f"{split}.manifest"],
                attribute=ATTRIBUTE,
                source_prefix=uris[split],
                job_name=f"labeling-job/{name}",
            )
        s3.upload(lab, files, uris["annotation"], what="upload manifests")
    return uris


def exists(lab: LabSession, name: str) -> bool:
    """Whether the data set was uploaded whole: its manifests are written last."""
    return {f"{s}.manifest" for s in SPLITS} <= s3.listing(lab, channels(lab, name)["annotation"]).keys()


def fetch(lab: LabSession, name: str, split: str) -> DetectionDataset:
    """A split as a data set, read back from S3 (files already downloaded are kept)."""
    if split not in SPLITS:
        raise DataError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")
    folder = paths.home() / "downloads" / lab.backend / name
    uris = channels(lab, name)
    s3.download(lab, uris["annotation"], folder / "annotation", what="download manifests")
    s3.download(lab, uris[split], folder / split, what=f"download {split}")
    return manifest.read(
        folder / "annotation" / f"{split}.manifest",
        attribute=ATTRIBUTE,
        root=folder / split,
        source_prefix=uris[split],
    )
