"""What the tests of batch transform share: a model of the tiny image, a job over some objects, its outputs."""

from typing import Any

from contract.cloud import Cloud, unique, until

GROUP = "/aws/sagemaker/TransformJobs"


class Transforms:
    """Transform jobs of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._models: dict[tuple, str] = {}

    def model(self, **environ: str) -> str:
        """A model of the tiny image; its environment says how it answers."""
        key = tuple(sorted(environ.items()))
        if key not in self._models:
            self._models[key] = unique("model")
            self.cloud.create_model(self._models[key], Environment=environ)
        return self._models[key]

    def request(self, objects: dict[str, bytes], model: str | None = None, **changes: Any) -> dict[str, Any]:
        """A valid CreateTransformJob over these objects; ``changes`` replace members, source and output in parts."""
        name = unique("transform")
        for key, body in objects.items():
            self.cloud.put(f"{name}/in/{key}", body)
        prefix = f"s3://{self.cloud.bucket}/{name}"
        source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{prefix}/in/"}}}
        return {
            "TransformJobName": name,
            "ModelName": model or self.model(),
            "TransformInput": {**source, **changes.pop("source", {})},
            "TransformOutput": {"S3OutputPath": f"{prefix}/out", **changes.pop("output", {})},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
        }

    def start(self, *arguments: Any, **changes: Any) -> str:
        request = self.request(*arguments, **changes)
        self.cloud.sagemaker.create_transform_job(**request)
        return request["TransformJobName"]

    def describe(self, name: str) -> dict[str, Any]:
        return self.cloud.sagemaker.describe_transform_job(TransformJobName=name)

    def wait(self, name: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            job = self.describe(name)
            return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return until(ended, 60)

    def run(self, *arguments: Any, **changes: Any) -> dict[str, Any]:
        return self.wait(self.start(*arguments, **changes))

    def outputs(self, job: dict[str, Any]) -> dict[str, bytes]:
        """What a job left in S3, by key below its output path."""
        prefix = f"{job['TransformJobName']}/out/"
        found = self.cloud.s3.list_objects_v2(Bucket=self.cloud.bucket, Prefix=prefix).get("Contents", [])
        keys = [entry["Key"] for entry in found]
        return {key.removeprefix(prefix): self.cloud.get(f"s3://{self.cloud.bucket}/{key}") for key in keys}

    def output(self, *arguments: Any, **changes: Any) -> bytes:
        """The one output of a job that completes."""
        job = self.run(*arguments, **changes)
        assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
        (output,) = self.outputs(job).values()
        return output

    def log(self, name: str) -> str:
        """All lines of a job's log streams."""
        events = self.cloud.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["events"]
        return "\n".join(event["message"] for event in events)
