"""What the tests of processing jobs say often: a request, a run to its end, the files that it left."""

import textwrap
from typing import Any

from contract.cloud import Cloud, unique, until

CODE, INPUT, OUTPUT = (f"/opt/ml/processing/{name}" for name in ("input/code", "input/data", "output"))
REPORT = """
import json, os, sys
from pathlib import Path

report = {
    "argv": sys.argv[1:],
    "python": sys.executable,
    "environ": dict(os.environ),
    "inputs": {p.name: p.read_text() for p in Path("/opt/ml/processing/input/data").rglob("*") if p.is_file()},
    "resources": json.loads(Path("/opt/ml/config/resourceconfig.json").read_text()),
    "job": json.loads(Path("/opt/ml/config/processingjobconfig.json").read_text()),
}
host = report["resources"]["current_host"]
Path("/opt/ml/processing/output", f"{host}.json").write_text(json.dumps(report))
print(f"report of {host}")
"""


def s3_input(uri: str, path: str = INPUT, name: str = "data", **changes: Any) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **changes}
    return {"InputName": name, "S3Input": source}


class Processors:
    """Processing jobs on the shared server."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def request(self, script: str = "", inputs: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
        """A valid CreateProcessingJob request for a Python script; ``changes`` replace members, None removes one."""
        name = unique("processing")
        self._cloud.put(f"{name}/code/job.py", textwrap.dedent(script).encode())
        code = s3_input(f"s3://{self._cloud.bucket}/{name}/code/job.py", CODE, "code")
        request = {
            "ProcessingJobName": name,
            "AppSpecification": {"ImageUri": "registry/tiny:1", "ContainerEntrypoint": ["python3", f"{CODE}/job.py"]},
            "RoleArn": self._cloud.connection.role_arn,
            "ProcessingInputs": [code, *(inputs or [])],
            "ProcessingOutputConfig": {"Outputs": [self.output(name)]},
            "ProcessingResources": resources(),
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **changes,
        }
        return {key: value for key, value in request.items() if value is not None}

    def output(self, name: str, path: str = OUTPUT, mode: str = "EndOfJob") -> dict[str, Any]:
        uri = f"s3://{self._cloud.bucket}/{name}/output"
        return {"OutputName": mode.lower(), "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}

    def start(self, request: dict[str, Any]) -> str:
        self._cloud.sagemaker.create_processing_job(**request)
        return request["ProcessingJobName"]

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.wait(self.start(request))

    def wait(self, name: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            job = self._cloud.sagemaker.describe_processing_job(ProcessingJobName=name)
            return job if job["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return until(ended, 30)

    def outputs(self, name: str) -> dict[str, bytes]:
        """The objects below the job's output, by name."""
        prefix = f"{name}/output/"
        listed = self._cloud.s3.list_objects_v2(Bucket=self._cloud.bucket, Prefix=prefix).get("Contents", [])
        uri = f"s3://{self._cloud.bucket}/"
        return {item["Key"].removeprefix(prefix): self._cloud.get(uri + item["Key"]) for item in listed}

    def log(self, name: str) -> list[str]:
        """The lines of all streams of a job, in the streams' order."""
        group, logs = "/aws/sagemaker/ProcessingJobs", self._cloud.logs
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        return [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]


def resources(count: int = 1, **changes: Any) -> dict[str, Any]:
    cluster = {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1, **changes}
    return {"ClusterConfig": {name: value for name, value in cluster.items() if value is not None}}
