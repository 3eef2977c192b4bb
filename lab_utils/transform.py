"""Batch transform: predictions for a whole channel without an endpoint."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from lab_utils import paths, s3
from lab_utils.dataset import DetectionDataset
from lab_utils.endpoints import COLUMNS
from lab_utils.errors import LabError
from lab_utils.responses import detections
from lab_utils.session import LabSession

_RUNNING = ("InProgress", "Stopping")


class TransformFailedError(LabError):
    """A transform job failed; the message holds its FailureReason."""


def watch_transform(
    lab: LabSession, transformer: Any, dataset: DetectionDataset, *, poll: float | None = None
) -> pd.DataFrame:
    """Follow a transform job over a data set's images to its end; the detections it wrote.

    SageMaker writes the answer for the object `test/a.png` to `a.png.out` below the output path.

    Args:
        lab: the session.
        transformer: a `Transformer` whose `transform(wait=False)` was called, or a transform job's name.
        dataset: the images of the job's channel.
        poll: seconds between two looks; default 1 locally, 10 on AWS.

    Returns:
        The columns of `Detector.predict_dataset`.

    Raises:
        TransformFailedError: the job failed, or an image has no answer.
    """
    name = transformer if isinstance(transformer, str) else transformer.latest_transform_job.transform_job_name
    output = _wait(lab, name, len(dataset), poll)
    folder = paths.home() / "downloads" / lab.backend / "transform" / name
    s3.download(lab, output, folder, what="download answers")
    images = dataset.images[["image_id", "file_name", "width", "height"]].itertuples(index=False, name=None)
    found = [_read(folder, str(file), size).assign(image_id=i) for i, file, *size in images]
    return pd.concat(found, ignore_index=True)[COLUMNS]


def _read(folder: Path, file_name: str, size: Sequence[int]) -> pd.DataFrame:
    answer = folder / f"{file_name}.out"
    if not answer.is_file():
        raise TransformFailedError(f"transform job {folder.name} left no answer for {file_name}")
    return detections(json.loads(answer.read_text(encoding="utf-8")), lambda: (size[0], size[1]))


def _wait(lab: LabSession, name: str, total: int, poll: float | None) -> str:
    """Wait for the job's end; where its output is."""
    client = lab.client("sagemaker")
    with tqdm(total=total, desc="transform", unit="image") as bar:
        while True:
            job = client.describe_transform_job(TransformJobName=name)
            output = job["TransformOutput"]["S3OutputPath"]
            bar.update(len(s3.listing(lab, output)) - bar.n)
            if job["TransformJobStatus"] not in _RUNNING:
                break
            time.sleep(poll or (1 if lab.backend == "local" else 10))
    if job["TransformJobStatus"] != "Completed":
        reason = job.get("FailureReason", "no reason given")
        raise TransformFailedError(f"transform job {name} {job['TransformJobStatus'].lower()}: {reason}")
    return output
