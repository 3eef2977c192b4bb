"""Data for SageMaker's built-in object detection in S3: JSON files and RecordIO.

Images, and augmented manifests, are where `channels.upload` puts them.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab_utils import channels, s3
from lab_utils.dataset import DetectionDataset
from lab_utils.formats import recordio, sagemaker_json
from lab_utils.session import LabSession

CHANNELS = sagemaker_json.CHANNELS  # split -> channel


def upload_json(lab: LabSession, splits: Mapping[str, DetectionDataset], name: str) -> dict[str, str]:
    """Upload one JSON file an image for the splits `training` and `validation`.

    Args:
        name: of the data set in S3, as for `channels.upload`, which uploads the images.

    Returns:
        The four channels `train`, `train_annotation`, `validation` and `validation_annotation` -> S3 URI.
    """
    base, images = f"{channels.base_uri(lab, name)}/json", channels.channels(lab, name)
    uris: dict[str, str] = {}
    for split, channel in CHANNELS.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"{channel}: {sagemaker_json.write(splits[split], folder)}")
            files = {file.relative_to(folder).as_posix(): file for file in Path(folder).rglob("*.json")}
            s3.upload(lab, files, f"{base}/{channel}_annotation", what=f"upload {channel}_annotation")
        uris |= {channel: images[split], f"{channel}_annotation": f"{base}/{channel}_annotation"}
    return uris


def upload_recordio(lab: LabSession, splits: Mapping[str, DetectionDataset], name: str) -> dict[str, str]:
    """Upload one RecordIO file for each of the splits `training` and `validation`.

    Returns:
        The channels `train` and `validation` -> S3 URI.
    """
    base = f"{channels.base_uri(lab, name)}/recordio"
    uris = {channel: f"{base}/{channel}" for channel in CHANNELS.values()}
    with tempfile.TemporaryDirectory() as folder:
        for split, channel in CHANNELS.items():
            file = Path(folder, f"{channel}.rec")
            print(f"{file.name}: {recordio.write(splits[split], file)}")
            s3.upload(lab, {file.name: file}, uris[channel], what=f"upload {file.name}")
    return uris
