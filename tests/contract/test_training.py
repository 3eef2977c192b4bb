"""Training jobs really run, under SageMaker's container contract."""

import time

import psutil
import pytest

from contract.cloud import Cloud, until
from contract.conftest import SECRET_OF_THE_CALLER


def channel(name: str, uri: str, **members: object) -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **members}


@pytest.fixture(scope="module")
def job(cloud: Cloud) -> dict:
    """A job with two channels, hyperparameters, metrics, environment and 3,000 lines of log."""
    cloud.put("data/train/a.txt", b"A")
    cloud.put("data/train/deep/b.txt", b"B")
    cloud.put("data/train/folder/", b"")
    single = cloud.put("data/labels.json", b"[]")
    return cloud.run(
        {"lines": 3000, "learning_rate": 0.1, "name": "x y"},
        AlgorithmSpecification={
            "TrainingImage": "registry/tiny:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "loss", "Regex": r"\bloss=([0-9.]+);"},
                {"Name": "val_loss", "Regex": r"val_loss=([0-9.]+);"},
            ],
        },
        InputDataConfig=[
            channel("training", f"s3://{cloud.bucket}/data/train", ContentType="text/plain"),
            channel("labels", single),
        ],
        Environment={"GREETING": "see /opt/ml/input", "AWS_SECRET_ACCESS_KEY": "the user's own"},
        Tags=[{"Key": "lab", "Value": "01"}],
    )


@pytest.fixture(scope="module")
def report(cloud: Cloud, job: dict) -> dict:
    return cloud.report(job)


def test_the_job_completes(job: dict) -> None:
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    statuses = [entry["Status"] for entry in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    times = [t for entry in job["SecondaryStatusTransitions"] for t in (entry["StartTime"], entry["EndTime"])]
    assert times == sorted(times)
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    assert "Tags" not in job
    assert not [member for member in job if member.startswith("_")]


def test_channels_are_downloaded(report: dict) -> None:
    data = {path: text for path, text in report["input"].items() if path.startswith("data/")}
    assert data == {"data/training/a.txt": "A", "data/training/deep/b.txt": "B", "data/labels/labels.json": "[]"}


def test_config_files(report: dict) -> None:
    assert '"learning_rate": "0.1"' in report["input"]["config/hyperparameters.json"]
    assert '"ContentType": "text/plain"' in report["input"]["config/inputdataconfig.json"]
    assert '"hosts": ["algo-1"]' in report["input"]["config/resourceconfig.json"]


def test_environment(report: dict, job: dict) -> None:
    environ = report["environ"]
    assert environ["TRAINING_JOB_NAME"] == job["TrainingJobName"]
    assert environ["TRAINING_JOB_ARN"] == job["TrainingJobArn"]
    assert environ["SM_CHANNEL_TRAINING"].endswith("/opt/ml/input/data/training")
    assert environ["SM_HPS"] == '{"lines": 3000, "learning_rate": 0.1, "name": "x y"}'
    assert environ["SM_HP_LEARNING_RATE"] == "0.1"
    assert environ["SM_CHANNELS"] == '["labels", "training"]'
    assert environ["SM_NUM_GPUS"].isdigit()
    assert int(environ["SM_NUM_CPUS"]) >= 1
    assert environ["GREETING"] == f"see {environ['SAGEMAKER_BASE_DIR']}/input"
    assert environ["SM_MODEL_DIR"] == f"{environ['SAGEMAKER_BASE_DIR']}/model"
    assert report["argv"] == []


def test_the_callers_environment_stays_out(report: dict) -> None:
    environ = report["environ"]
    assert SECRET_OF_THE_CALLER not in str(environ)
    assert environ["AWS_SECRET_ACCESS_KEY"] == "the user's own"
    assert not {"HTTPS_PROXY", "SSL_CERT_FILE", "PIP_FIND_LINKS", "AWS_ENDPOINT_URL"} & environ.keys()


def test_metrics(cloud: Cloud, job: dict) -> None:
    final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert final == pytest.approx({"train:loss": 1 / 3000, "loss": 1 / 3000, "val_loss": 2999.0}, abs=1e-6)
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {
                "Namespace": "/aws/sagemaker/TrainingJobs",
                "MetricName": "val_loss",
                "Dimensions": [{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
            },
            "Period": 3600,
            "Stat": "SampleCount",
        },
    }
    answer = cloud.connect(cloud.connection, "cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=time.time() - 3600, EndTime=time.time() + 3600
    )
    assert sum(answer["MetricDataResults"][0]["Values"]) == 3000


def test_the_log(cloud: Cloud, job: dict, workspace) -> None:
    lines = cloud.log(job["TrainingJobName"])
    assert lines[0] == "first line" or lines[0].startswith("tiny: step")  # the image may be built first
    assert lines[-1].startswith("step 2999 ")
    assert (workspace / "jobs" / job["TrainingJobName"] / "log.txt").read_text().splitlines()[-1] == lines[-1]


def test_artifacts(cloud: Cloud, job: dict) -> None:
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{cloud.bucket}/out/{job['TrainingJobName']}/output/model.tar.gz"
    assert cloud.unpacked(uri) == {"weights.txt": b"w" * 100}


def test_metrics_that_the_image_defines(cloud: Cloud) -> None:
    job = cloud.run({"lines": 2})
    assert {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]} == {"train:loss": 0.5}


def test_command_of_the_request(cloud: Cloud) -> None:
    specification = {
        "TrainingImage": "tiny",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash", "-c"],
        "ContainerArguments": ["echo ran in $(cd /opt/ml/model && pwd) > /opt/ml/model/where.txt"],
    }
    job = cloud.run(AlgorithmSpecification=specification)
    text = cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])["where.txt"].decode()
    assert job["TrainingJobName"] in text
    assert text.strip().endswith("/opt/ml/model")


def test_a_program_may_use_aws_with_the_role(cloud: Cloud) -> None:
    """The way to S3 lies in the container's home, not in its environment."""
    specification = {
        "TrainingImage": "tiny",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash", "-c", "grep -c aws_secret_access_key ~/.aws/config"],
    }
    assert cloud.log(cloud.run(AlgorithmSpecification=specification)["TrainingJobName"])[-1] == "1"


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({"failure": "ValueError: no boxes", "exit": 1}, "AlgorithmError: ValueError: no boxes, exit code: 1"),
        ({"exit": 7}, "AlgorithmError: See job logs for more information, exit code: 7"),
    ],
)
def test_a_failing_program(cloud: Cloud, hyperparameters: dict, reason: str) -> None:
    job = cloud.run(hyperparameters)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == reason


def test_a_long_failure_is_cut(cloud: Cloud) -> None:
    job = cloud.run({"failure": "x" * 2000, "exit": 1})
    assert len(job["FailureReason"]) == 1024


def test_stop_keeps_the_model(cloud: Cloud) -> None:
    name = cloud.start({"sleep": 60})
    cloud.wait_for_line(name, "sleeping")
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    job = cloud.wait(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job
    assert "stopped.txt" in cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_max_runtime_ends_a_stubborn_program(cloud: Cloud) -> None:
    job = cloud.run({"sleep": 60, "stubborn": 1}, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "weights.txt" in cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_checkpoints_go_both_ways(cloud: Cloud) -> None:
    prefix = f"s3://{cloud.bucket}/checkpoints/both"
    for step in (b"1", b"2"):
        cloud.run(CheckpointConfig={"S3Uri": prefix})
        assert cloud.get(f"{prefix}/state/step.txt") == step


def test_checkpoints_are_uploaded_while_the_job_runs(cloud: Cloud) -> None:
    prefix = f"s3://{cloud.bucket}/checkpoints/early"
    name = cloud.start({"sleep": 60}, CheckpointConfig={"S3Uri": prefix})
    found = until(lambda: cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix="checkpoints/early").get("Contents"), 12)
    assert found[0]["Key"].endswith("state/step.txt")
    assert cloud.describe(name)["TrainingJobStatus"] == "InProgress"
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    cloud.wait(name)


def test_tensorboards_events_are_uploaded_below_the_jobs_name(cloud: Cloud) -> None:
    config = {"S3OutputPath": f"s3://{cloud.bucket}/curves", "LocalPath": "/opt/ml/checkpoints"}
    for _ in range(2):
        job = cloud.run(TensorBoardOutputConfig=config)
        assert job["TensorBoardOutputConfig"] == config
        uri = f"{config['S3OutputPath']}/{job['TrainingJobName']}/tensorboard-output"
        assert cloud.get(f"{uri}/state/step.txt") == b"1"  # unlike checkpoints they are not fetched


def test_no_process_outlives_its_job(cloud: Cloud) -> None:
    """Not even one in a session of its own."""
    name = cloud.start({"orphan": 4242, "sleep": 60})
    cloud.wait_for_line(name, "sleeping")
    assert orphans()
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    cloud.wait(name)
    assert not orphans()


def orphans() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "4242"]]


def test_a_thousand_lines_a_second_do_not_choke(cloud: Cloud) -> None:
    started = time.monotonic()
    definitions = [{"Name": f"m{i}", "Regex": rf"m{i}=(\d+);"} for i in range(8)]
    specification = {"TrainingImage": "tiny", "TrainingInputMode": "File", "MetricDefinitions": definitions}
    job = cloud.run({"lines": 20_000}, AlgorithmSpecification=specification)
    assert job["TrainingJobStatus"] == "Completed"
    assert time.monotonic() - started < 10
