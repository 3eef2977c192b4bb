"""Jobs that are under way when the server dies, and what must have become of them."""

import itertools
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from contract import tuning
from contract.cloud import Cloud, unique

ENDED = ("Completed", "Failed", "Stopped")
AT_ONCE = 3
_lines = b"one\ntwo\nthree\n"


class Jobs:
    """Starts jobs of one kind, several at a time; remembers those that the server accepted and how it saw them end."""

    kind = "TrainingJob"

    def __init__(self) -> None:
        self._accepted: set[str] = set()
        self._ended: dict[str, str] = {}
        self._numbers = itertools.count()

    def work(self, cloud: Cloud, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                running = [name for name in self._accepted if name not in self._ended]
                for name in running:
                    if (status := self.status(self.describe(cloud, name))) in ENDED:
                        self._ended[name] = status
                if len(running) < AT_ONCE:
                    name = unique(f"crash-{self.kind.lower()}")
                    self.create(cloud, name)
                    self._accepted.add(name)
                time.sleep(0.02)
        except (BotoCoreError, ClientError, OSError):
            return

    def create(self, cloud: Cloud, name: str) -> None:
        number = next(self._numbers)
        cloud.start({"lines": 3, **({"sleep": 30} if number % 3 == 0 else {})}, TrainingJobName=name)

    def describe(self, cloud: Cloud, name: str) -> dict[str, Any]:
        return cloud.describe(name)

    def status(self, job: dict[str, Any]) -> str:
        return job[f"{self.kind}Status"]

    def check(self, cloud: Cloud) -> int:
        """Raise AssertionError unless every accepted job is there and at a true end; how many there are."""
        for name in self._accepted:
            job = self.describe(cloud, name)
            status = self.status(job)
            assert status in ENDED, f"{name} is {status}"
            assert self._ended.get(name, status) == status, f"{name} was {self._ended[name]} and is {status}"
            if status == "Completed":
                self.check_result(cloud, job)
            else:
                assert job.get("FailureReason"), f"{name} does not say why it is {status}"
            self._ended[name] = status
        return len(self._accepted)

    def check_result(self, cloud: Cloud, job: dict[str, Any]) -> None:
        assert cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]), f"{job['TrainingJobName']} left no model"


class TransformJobs(Jobs):
    """Transform jobs over three objects; their model is made on first use."""

    kind = "TransformJob"

    def create(self, cloud: Cloud, name: str) -> None:
        if next(self._numbers) == 0:
            cloud.create_model("crash-transform")
            for key in "abc":
                cloud.put(f"crash-input/{key}", _lines)
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{cloud.bucket}/crash-input/"}}
        cloud.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName="crash-transform",
            TransformInput={"DataSource": source, "SplitType": "Line"},
            TransformOutput={"S3OutputPath": f"s3://{cloud.bucket}/crash-output/{name}", "AssembleWith": "Line"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )

    def describe(self, cloud: Cloud, name: str) -> dict[str, Any]:
        return cloud.sagemaker.describe_transform_job(TransformJobName=name)

    def check_result(self, cloud: Cloud, job: dict[str, Any]) -> None:
        for key in "abc":
            answer = cloud.get(f"{job['TransformOutput']['S3OutputPath']}/{key}.out")
            assert answer.split() == _lines.split(), f"{job['TransformJobName']}: {key}.out is {answer!r}"


class TuningJobs(Jobs):
    """Tuning jobs of four training jobs."""

    kind = "HyperParameterTuningJob"

    def create(self, cloud: Cloud, name: str) -> None:
        made = tuning.request(cloud, static={"pause": 0.1})
        tuning.start(cloud, {**made, "HyperParameterTuningJobName": name})

    def describe(self, cloud: Cloud, name: str) -> dict[str, Any]:
        return tuning.describe(cloud, name)

    def check(self, cloud: Cloud) -> int:
        for name in self._accepted:
            for child in tuning.children(cloud, name):
                assert child["TrainingJobStatus"] in ENDED, f"{child['TrainingJobName']} of {name} still runs"
        return super().check(cloud)

    def check_result(self, cloud: Cloud, job: dict[str, Any]) -> None:
        best = job["BestTrainingJob"]["TrainingJobName"]
        assert cloud.describe(best)["TrainingJobStatus"] == "Completed", f"{best} is the best but not completed"
