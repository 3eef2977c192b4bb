"""Lab 01's job on two instances: two ranks that train one model, through the SDK and the embedded SageMaker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.cloud import LOG_GROUP
from sagemaker.core.shapes import MetricDefinition
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.train import ModelTrainer

import lab_utils
import local_sagemaker
from lab_utils import channels, images, splits, synthetic
from lab_utils.session import LabSession, _forget_local

TINY = {
    "model-type": "retinanet",
    "backbone": "small_fpn",
    "num-iter": 4,
    "batch-size": 4,
    "eval-period": 4,
    "log-period": 2,
    "shortest-side": 96,
    "longest-side": 160,
}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabSession]:
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    monkeypatch.delenv("LABS_WORKSPACE", raising=False)
    yield lab_utils.connect("local")
    local_sagemaker.stop(tmp_path / "sagemaker")
    _forget_local()


def log(lab: LabSession, job: str, host: str) -> list[str]:
    """The lines of one host's log stream."""
    logs = lab.client("logs")
    found = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job}/{host}-")["logStreams"]
    stream = found[0]["logStreamName"]
    events = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True)["events"]
    return [event["message"] for event in events]


@pytest.mark.environment
def test_two_hosts_train_one_detector(lab: LabSession, tmp_path: Path) -> None:
    data = synthetic.generate(tmp_path / "data", sequences=21, frames=2, size=(320, 200), processes=1, progress=False)
    uris = channels.upload(lab, splits.split(data), "two-hosts")
    trainer = ModelTrainer(
        training_image=lab_utils.build_image(lab, "detectron2"),
        role=lab.role,
        sagemaker_session=lab.sagemaker_session,
        base_job_name=lab.named("two-hosts"),
        hyperparameters=TINY,
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=2, volume_size_in_gb=1),
        output_data_config=OutputDataConfig(s3_output_path=lab.uri("models")),
    )
    definitions = images.metric_definitions("detectron2")
    trainer.with_metric_definitions([MetricDefinition(name=d["Name"], regex=d["Regex"]) for d in definitions])
    names = ("training", "validation", "annotation")
    trainer.train([InputData(channel_name=name, data_source=uris[name]) for name in names], wait=False, logs=False)
    run = lab_utils.watch(lab, trainer)

    assert run.metrics["training:loss"] > 0
    first, second = (log(lab, run.name, host) for host in ("algo-1", "algo-2"))
    assert any(line.endswith("2 process(es)") for line in first)
    assert not any("Traceback" in line for line in first + second)
