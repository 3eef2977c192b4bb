"""What AWS refuses is refused alike; what is not emulated is refused by name."""

import json

import pytest

from contract.cloud import Cloud, error_of, unique
from contract.test_training import channel

FILE = {"TrainingImage": "tiny", "TrainingInputMode": "File"}
GROUPS = [{"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 1}]


def resources(**changes: object) -> dict:
    members = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, **changes}
    return {name: value for name, value in members.items() if value is not None}


def source(**changes: object) -> list[dict]:
    """An InputDataConfig whose one S3 data source has these members changed."""
    data = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/x", **changes}
    return [{"ChannelName": "training", "DataSource": {"S3DataSource": data}}]


def piped(**changes: object) -> list[dict]:
    """As `source`, in Pipe mode."""
    return [{**source(**changes)[0], "InputMode": "Pipe"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"AlgorithmSpecification": {**FILE, "TrainingImage": "registry/other:1"}}, "registry/other:1"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingImage"),
        ({"AlgorithmSpecification": {**FILE, "TrainingInputMode": "Magic"}}, "enum value set"),
        (
            {"AlgorithmSpecification": {**FILE, "MetricDefinitions": [{"Name": "m", "Regex": "("}]}},
            "invalid regular expression",
        ),
        ({"ResourceConfig": resources(InstanceType="ml.m5.tiny")}, "'resourceConfig.instanceType'"),
        ({"ResourceConfig": resources(InstanceCount=0)}, "InstanceCount must be at least 1"),
        ({"ResourceConfig": resources(InstanceCount=None)}, "InstanceCount is required"),
        ({"ResourceConfig": {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}}, "InstanceGroups is not emulated"),
        ({"ResourceConfig": resources(KeepAlivePeriodInSeconds=60)}, "KeepAlivePeriodInSeconds"),
        ({"ResourceConfig": resources(VolumeSizeInGB=0)}, "VolumeSizeInGB"),
        ({"ResourceConfig": None}, "ResourceConfig"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}}, "MaxWaitTimeInSeconds"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 30},
            },
            "MaxWaitTimeInSeconds",
        ),
        ({"InputDataConfig": source(S3DataType="AugmentedManifestFile", AttributeNames=["a"])}, "input mode Pipe"),
        ({"InputDataConfig": piped(S3DataType="AugmentedManifestFile")}, "needs AttributeNames"),
        ({"InputDataConfig": piped(AttributeNames=["a"])}, "AttributeNames are only for AugmentedManifestFile"),
        ({"InputDataConfig": source(S3DataType="Converse")}, "S3DataType Converse"),
        ({"InputDataConfig": source(InstanceGroupNames=["g"])}, "InstanceGroupNames is not emulated"),
        ({"InputDataConfig": [{**source()[0], "RecordWrapperType": "RecordIO"}]}, "only for the input mode Pipe"),
        (
            {"InputDataConfig": [*piped(), {**source()[0], "ChannelName": "training_1"}]},
            "clash with channel",
        ),
        ({"InputDataConfig": [{**source()[0], "CompressionType": "Gzip"}]}, "only for the input mode Pipe"),
        ({"InputDataConfig": source() + source()}, "must be unique"),
        ({"InputDataConfig": [{**source()[0], "ChannelName": ".."}]}, "not a folder name"),
        ({"InputDataConfig": source(S3Uri="bucket/x")}, "regular expression pattern"),
        ({"OutputDataConfig": {"S3OutputPath": "https://bucket/out"}}, "OutputDataConfig.S3OutputPath"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://b/o", "KmsKeyId": "key"}}, "OutputDataConfig.KmsKeyId"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/etc"}}, "CheckpointConfig.LocalPath"),
        (
            {"TensorBoardOutputConfig": {"S3OutputPath": "s3://b/c", "LocalPath": "/etc"}},
            "TensorBoardOutputConfig.LocalPath",
        ),
        ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation"),
        ({"RetryStrategy": {"MaximumRetryAttempts": 31}}, "less than or equal to 30"),
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}, "VpcConfig"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/Nobody"}, "Could not assume role"),
        ({"TrainingJobName": "-bad-"}, "'trainingJobName' failed to satisfy constraint"),
        ({"TrainingJobName": "x" * 64}, "length less than or equal to 63"),
    ],
)
def test_create_is_refused(cloud: Cloud, changes: dict, message: str) -> None:
    request = cloud.job_request(**changes)
    code, status, text = error_of(cloud.sagemaker.create_training_job, **request)
    assert (code, status) == ("ValidationException", 400)
    assert message in text
    names = {
        job["TrainingJobName"] for job in cloud.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    }
    assert request["TrainingJobName"] not in names


def test_more_hosts_than_one_machine_emulates(cloud: Cloud) -> None:
    request = cloud.job_request(ResourceConfig=resources(InstanceCount=5))
    code, status, text = error_of(cloud.sagemaker.create_training_job, **request)
    assert (code, status) == ("ResourceLimitExceeded", 400)
    assert "'ml.m5.large for training job usage' is 4 Instances" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ResourceConfig": {"KeepAlivePeriodInSeconds": 60}}, "ResourceConfig is not emulated"),
        ({"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 500}}, "ProfilingIntervalInMilliseconds"),
        ({"RemoteDebugConfig": {"EnableRemoteDebug": True}}, "RemoteDebugConfig"),
    ],
)
def test_update_is_refused(cloud: Cloud, changes: dict, message: str) -> None:
    code, _, text = error_of(cloud.sagemaker.update_training_job, TrainingJobName="any", **changes)
    assert code == "ValidationException"
    assert message in text


def test_an_ended_job_cannot_be_updated(cloud: Cloud) -> None:
    name = cloud.run()["TrainingJobName"]
    profiler = {"DisableProfiler": True}
    code, _, text = error_of(cloud.sagemaker.update_training_job, TrainingJobName=name, ProfilerConfig=profiler)
    assert (code, "status Completed" in text) == ("ValidationException", True)


def test_spot_training_is_accepted(cloud: Cloud) -> None:
    job = cloud.run(
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
    )
    assert job["TrainingJobStatus"] == "Completed"


def test_duplicate_names(cloud: Cloud) -> None:
    name = cloud.start()
    code, status, text = error_of(cloud.sagemaker.create_training_job, **cloud.job_request(TrainingJobName=name))
    assert (code, status) == ("ResourceInUse", 400)
    assert "must be unique" in text
    cloud.wait(name)


@pytest.mark.parametrize("operation", ["describe", "stop", "update", "delete"])
def test_unknown_job(cloud: Cloud, operation: str) -> None:
    answer = error_of(getattr(cloud.sagemaker, f"{operation}_training_job"), TrainingJobName="nowhere")
    assert answer == ("ValidationException", 400, "Requested resource not found.")


def test_a_finished_job_can_be_deleted_but_not_stopped(cloud: Cloud) -> None:
    name = cloud.run()["TrainingJobName"]
    code, _, text = error_of(cloud.sagemaker.stop_training_job, TrainingJobName=name)
    assert (code, "status Completed" in text) == ("ValidationException", True)
    cloud.sagemaker.delete_training_job(TrainingJobName=name)
    assert error_of(cloud.sagemaker.describe_training_job, TrainingJobName=name)[0] == "ValidationException"


def test_a_running_job_cannot_be_deleted(cloud: Cloud) -> None:
    name = cloud.start({"sleep": 60})
    assert error_of(cloud.sagemaker.delete_training_job, TrainingJobName=name)[0] == "ResourceInUse"
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    assert cloud.wait(name)["TrainingJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://no-such-bucket/x/", "the bucket 'no-such-bucket' does not exist"),
        ("s3://{bucket}/nothing/here/", "No S3 objects found under S3 URL"),
    ],
)
def test_missing_input_fails_the_job(cloud: Cloud, uri: str, message: str) -> None:
    job = cloud.run(InputDataConfig=[channel("training", uri.format(bucket=cloud.bucket))])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed")
    assert message in job["FailureReason"]
    assert "TrainingStartTime" not in job


@pytest.mark.parametrize("key", ["evil/../../../../escape.txt", "evil/x/../../../escape.txt"])
def test_keys_stay_inside_the_channel(cloud: Cloud, key: str, workspace) -> None:
    body = json.dumps({}).encode()
    cloud.put(key, body)
    job = cloud.run(InputDataConfig=[channel("training", f"s3://{cloud.bucket}/evil/")])
    assert "leads out of the folder" in job["FailureReason"]
    assert not list(workspace.rglob("escape.txt"))
    cloud.s3.delete_object(Bucket=cloud.bucket, Key=key)


def test_a_key_that_is_file_and_folder(cloud: Cloud) -> None:
    cloud.put("both/a")
    cloud.put("both/a/b")
    job = cloud.run(InputDataConfig=[channel("training", f"s3://{cloud.bucket}/both/")])
    assert "both a file and a folder" in job["FailureReason"]


def test_missing_output_bucket_fails_the_job(cloud: Cloud) -> None:
    job = cloud.run(OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/out"})
    assert job["FailureReason"] == "ClientError: Artifact upload failed: the bucket 'no-such-bucket' does not exist"


def test_an_image_that_cannot_be_built_fails_the_job(cloud: Cloud) -> None:
    job = cloud.run(AlgorithmSpecification={**FILE, "TrainingImage": "broken"})
    assert job["FailureReason"].startswith("ClientError: The environment of image broken could not be built")
    assert "no-such-wheel" in job["FailureReason"]


def test_operations_that_are_not_emulated(cloud: Cloud) -> None:
    answer = error_of(cloud.sagemaker.list_auto_ml_jobs)
    assert answer == ("ValidationException", 400, "ListAutoMLJobs is not emulated by the local SageMaker.")
    assert (
        "CreateNotebookInstance"
        in error_of(
            cloud.sagemaker.create_notebook_instance,
            NotebookInstanceName=unique(),
            InstanceType="ml.t3.medium",
            RoleArn=cloud.connection.role_arn,
        )[2]
    )
