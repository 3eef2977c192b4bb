"""The tracking job: a processing job of the `gluoncv` image that follows an object through a video in S3."""

from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import paths, processing, s3
from lab_utils.session import LabSession


def inputs_and_output(video: str, model_data: str, output: str) -> dict[str, Any]:
    """The `inputs` and `outputs` of a `Processor.run`: where `containers/gluoncv/track.py` looks for what.

    Args:
        video: S3 URI of the video.
        model_data: S3 URI of the `model.tar.gz` of a tracking job.
        output: S3 prefix for track.csv, track.mp4 and track.json.
    """
    return processing.inputs_and_output({"video": video, "model": model_data}, output)


def fetch_track(lab: LabSession, output: str) -> tuple[pd.DataFrame, Path]:
    """What a tracking job wrote below `output`: a row a frame (`frame`, `seconds`, xywh in pixels, `score`), and the
    annotated video."""
    bucket, key = s3.parse(output)
    folder = paths.home() / "downloads" / lab.backend / bucket / key
    s3.download(lab, output, folder)
    return pd.read_csv(folder / "track.csv"), folder / "track.mp4"
