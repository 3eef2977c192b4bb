"""What the contract tests say often: start a job, wait, read its log, fetch what it left."""

import io
import itertools
import json
import tarfile
import time
from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from local_sagemaker import Connection

_numbers = itertools.count()
LOG_GROUP = "/aws/sagemaker/TrainingJobs"


def unique(prefix: str = "t") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


class Cloud:
    """The clients of one connection."""

    def __init__(self, connection: Connection, connect: Callable[..., BaseClient]) -> None:
        self.connection = connection
        self.bucket = connection.bucket
        self.s3, self.sagemaker, self.logs = (connect(connection, name) for name in ("s3", "sagemaker", "logs"))
        self.runtime = connect(connection, "sagemaker-runtime")
        self.connect = connect

    def put(self, key: str, body: bytes = b"data") -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def job_request(self, hyperparameters: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """A valid CreateTrainingJob request; ``changes`` replace members, None removes one."""
        request = {
            "TrainingJobName": unique("job"),
            "AlgorithmSpecification": {"TrainingImage": "registry/tiny:1", "TrainingInputMode": "File"},
            "RoleArn": self.connection.role_arn,
            "HyperParameters": {name: str(value) for name, value in (hyperparameters or {}).items()},
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **changes,
        }
        return {name: value for name, value in request.items() if value is not None}

    def start(self, hyperparameters: dict[str, Any] | None = None, **changes: Any) -> str:
        request = self.job_request(hyperparameters, **changes)
        self.sagemaker.create_training_job(**request)
        return request["TrainingJobName"]

    def describe(self, name: str) -> dict[str, Any]:
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def run(self, hyperparameters: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Run a job to its end; its description."""
        return self.wait(self.start(hyperparameters, **changes))

    def wait(self, name: str, timeout: float = 30) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            job = self.describe(name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return until(ended, timeout)

    def log(self, name: str) -> list[str]:
        """Lines of a job's log stream."""
        streams = self.logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")
        stream = streams["logStreams"][0]["logStreamName"]
        events = self.logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True)
        return [event["message"] for event in events["events"]]

    def wait_for_line(self, name: str, line: str) -> None:
        def there() -> bool:
            try:
                return line in self.log(name)
            except (ClientError, IndexError):
                return False

        until(there)

    def unpacked(self, uri: str) -> dict[str, bytes]:
        """The files of a tar.gz in S3."""
        with tarfile.open(fileobj=io.BytesIO(self.get(uri))) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}

    def report(self, job: dict[str, Any]) -> dict[str, Any]:
        """What the tiny training program saw."""
        uri = job["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar.gz", "output.tar.gz")
        return json.loads(self.unpacked(uri)["report.json"])

    def deploy(self, body: bytes | None = None, **container: Any) -> str:
        """Create model, configuration and endpoint of one new name; the name."""
        name = unique("endpoint")
        if body is not None:
            container["ModelDataUrl"] = self.put(f"models/{name}/model.tar.gz", body)
        self.create_model(name, **container)
        self.create_endpoint(name, [variant(name)])
        return name

    def create_model(self, name: str, **container: Any) -> None:
        definition = {"Image": "registry/tiny:1", **container}
        role = self.connection.role_arn
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=definition, ExecutionRoleArn=role)

    def create_endpoint(self, name: str, variants: list[dict[str, Any]], **config: Any) -> None:
        """Create configuration and endpoint of one name."""
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **config)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def wait_endpoint(self, name: str, timeout: float = 30) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            endpoint = self.sagemaker.describe_endpoint(EndpointName=name)
            return endpoint if endpoint["EndpointStatus"] != "Creating" else None

        return until(settled, timeout)

    def invoke(self, name: str, body: bytes = b"hello", **options: str) -> bytes:
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body, **options)["Body"].read()


def variant(model: str, **changes: Any) -> dict[str, Any]:
    return {
        "VariantName": "AllTraffic", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1,
        **changes,
    }  # fmt: skip


def until(condition: Callable[[], Any], timeout: float = 20) -> Any:
    """Ask ``condition`` until it is true; what it gave."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError(f"{condition.__qualname__} did not become true in {timeout} s")


def error_of(call: Callable[..., Any], **arguments: Any) -> tuple[str, int, str]:
    """Code, HTTP status and message of the error that a call must end with."""
    try:
        call(**arguments)
    except ClientError as error:
        details = error.response
        return details["Error"]["Code"], details["ResponseMetadata"]["HTTPStatusCode"], details["Error"]["Message"]
    raise AssertionError("the call was accepted")


def archive(files: dict[str, bytes]) -> bytes:
    """A tar.gz of these members, whose names may be hostile."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
