"""Lab 03's two jobs through the SDK and the embedded SageMaker: train a tracker, then follow a target through a video.

The processing job brings no ContainerEntrypoint: its ContainerArguments reach the image's `track`, here and on AWS.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.train import ModelTrainer
from unit.containers.made import write_clips

import lab_utils
import local_sagemaker
from lab_utils import images, s3
from lab_utils.session import LabSession, _forget_local
from lab_utils.tracking import Video

TINY = {"task": "tracking", "iterations": 2, "batch-size": 2, "hidden": 16, "search-side": 159, "instance-side": 159}
FOLDER = "/opt/ml/processing"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabSession]:
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    monkeypatch.delenv("LABS_WORKSPACE", raising=False)
    yield lab_utils.connect("local")
    local_sagemaker.stop(tmp_path / "sagemaker")
    _forget_local()


def upload(lab: LabSession, folder: Path, name: str) -> str:
    """The S3 prefix of a folder's files."""
    uri = lab.uri(name)
    s3.upload(lab, {path.name: path for path in folder.iterdir()}, uri)
    return uri


def train(lab: LabSession, image: str) -> str:
    """S3 URI of the model of a job that trained for a moment."""
    with tempfile.TemporaryDirectory() as folder:
        write_clips(Path(folder) / "clips", 2)
        clips = upload(lab, Path(folder) / "clips", "clips")
    trainer = ModelTrainer(
        training_image=image,
        role=lab.role,
        sagemaker_session=lab.sagemaker_session,
        base_job_name=lab.named("tracker"),
        hyperparameters=TINY,
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=1),
        output_data_config=OutputDataConfig(s3_output_path=lab.uri("models")),
    )
    trainer.train([InputData(channel_name="training", data_source=clips)], wait=False, logs=False)
    return lab_utils.watch(lab, trainer).model_data


def given(name: str, uri: str) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri, local_path=f"{FOLDER}/input/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=source)


@pytest.mark.environment
def test_a_trained_tracker_follows_through_a_video_in_s3(lab: LabSession, tmp_path: Path) -> None:
    image = lab_utils.build_image(lab, "gluoncv")
    model = train(lab, image)
    write_clips(tmp_path / "video", 1, seed=5)
    (tmp_path / "video/0.csv").unlink()
    video, tracked = upload(lab, tmp_path / "video", "video"), lab.uri("tracked")
    result = ProcessingS3Output(s3_uri=tracked, local_path=f"{FOLDER}/output", s3_upload_mode="EndOfJob")
    processor = Processor(
        role=lab.role,
        image_uri=image,
        instance_count=1,
        instance_type="ml.m5.xlarge",
        base_job_name=lab.named("track"),
        sagemaker_session=lab.sagemaker_session,
    )
    processor.run(
        inputs=[given("video", video), given("model", model)],
        outputs=[ProcessingOutput(output_name="track", s3_output=result)],
        arguments=["--box", "20,30,18,24"],
        logs=False,
    )
    s3.download(lab, tracked, tmp_path / "tracked")
    told = json.loads((tmp_path / "tracked/track.json").read_text())
    assert (told["frames"], told["complete"], told["first_box"]) == (24, True, [20, 30, 18, 24])
    assert len((tmp_path / "tracked/track.csv").read_text().splitlines()) == 25
    assert len(list(Video.open(tmp_path / "tracked/track.mp4"))) == 24


def test_the_tasks_of_the_image_stay_below_sagemakers_limit_of_metrics() -> None:
    assert len(images.metric_definitions("gluoncv")) <= 40
