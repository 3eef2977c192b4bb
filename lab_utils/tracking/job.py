"""The tracking job: a processing job of the `gluoncv` image that follows an object through a video in S3."""

from pathlib import Path
from typing import Any

import pandas as pd

from lab_utils import paths, s3
from lab_utils.session import LabSession

_ROOT = "/opt/ml/processing"


def inputs_and_output(video: str, model_data: str, output: str) -> dict[str, Any]:
    """The `inputs` and `outputs` of a `Processor.run`: where `containers/gluoncv/track.py` looks for what.

    Args:
        video: S3 URI of the video.
        model_data: S3 URI of the `model.tar.gz` of a tracking job.
        output: S3 prefix for track.csv, track.mp4 and track.json.
    """
    from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output

    inputs = [
        ProcessingInput(
            input_name=name,
            s3_input=ProcessingS3Input(
                s3_uri=uri, local_path=f"{_ROOT}/input/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
            ),
        )
        for name, uri in (("video", video), ("model", model_data))
    ]
    target = ProcessingS3Output(s3_uri=output, local_path=f"{_ROOT}/output", s3_upload_mode="EndOfJob")
    return {"inputs": inputs, "outputs": [ProcessingOutput(output_name="track", s3_output=target)]}


def fetch_track(lab: LabSession, output: str) -> tuple[pd.DataFrame, Path]:
    """What a tracking job wrote below `output`: a row a frame (`frame`, `seconds`, xywh in pixels, `score`), and the
    annotated video."""
    bucket, key = s3.parse(output)
    folder = paths.home() / "downloads" / lab.backend / bucket / key
    s3.download(lab, output, folder)
    return pd.read_csv(folder / "track.csv"), folder / "track.mp4"
