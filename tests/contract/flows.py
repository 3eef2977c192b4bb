"""What the tests of pipelines say often: definitions, executions, waiting for their end."""

import json
from typing import Any

from contract.cloud import Cloud, unique, until

Json = dict[str, Any]
ENDED = ("Succeeded", "Failed", "Stopped")


def get(path: str) -> Json:
    return {"Get": path}


def condition(name: str, conditions: list[Json], then: list[Json] = (), otherwise: list[Json] = (), **members) -> Json:
    arguments = {"Conditions": conditions, "IfSteps": list(then), "ElseSteps": list(otherwise)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def compare(left: Any, kind: str, right: Any) -> Json:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def fail(name: str, message: Any, **members: Any) -> Json:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **members}


class Flows:
    """Pipelines in one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.client = cloud, cloud.sagemaker

    def training(self, name: str, hyperparameters: Json | None = None, arguments: Any = (), **members: Any) -> Json:
        """A Training step whose program does what its hyperparameters say."""
        request = self.cloud.job_request({}, **{"TrainingJobName": None, **dict(arguments)})
        request["HyperParameters"] = hyperparameters or {}
        return {"Name": name, "Type": "Training", "Arguments": request, **members}

    def model(self, name: str, data: Any, **members: Any) -> Json:
        container = {"Image": "registry/tiny:1", "ModelDataUrl": data}
        arguments = {"PrimaryContainer": container, "ExecutionRoleArn": self.cloud.connection.role_arn}
        return {"Name": name, "Type": "Model", "Arguments": arguments, **members}

    def request(self, steps: list[Json], parameters: list[Json] = (), **members: Any) -> Json:
        """A CreatePipeline request."""
        definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": steps}
        return {
            "PipelineName": unique("flow"),
            "PipelineDefinition": json.dumps(definition),
            "RoleArn": self.cloud.connection.role_arn,
            **members,
        }

    def create(self, *steps: Json, parameters: list[Json] = (), **members: Any) -> str:
        request = self.request(list(steps), parameters, **members)
        self.client.create_pipeline(**request)
        return request["PipelineName"]

    def start(self, name: str, parameters: dict[str, str] | None = None, **members: Any) -> str:
        given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        answer = self.client.start_pipeline_execution(PipelineName=name, PipelineParameters=given, **members)
        return answer["PipelineExecutionArn"]

    def run(self, *steps: Json, **members: Any) -> str:
        """Run these steps to their end; the execution's ARN."""
        return self.wait(self.start(self.create(*steps, **members)))

    def describe(self, arn: str) -> Json:
        return self.client.describe_pipeline_execution(PipelineExecutionArn=arn)

    def status(self, arn: str) -> str:
        return self.describe(arn)["PipelineExecutionStatus"]

    def wait(self, arn: str, timeout: float = 30) -> str:
        until(lambda: self.status(arn) in ENDED, timeout)
        return arn

    def steps(self, arn: str) -> dict[str, Json]:
        """The steps of an execution by name, the first to start first."""
        answer = self.client.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def started(self, arn: str, step: str, metadata: str) -> str:
        """The name of what a step has started, once it has."""
        told = until(lambda: self.steps(arn).get(step, {}).get("Metadata"))
        return told[metadata]["Arn"].rpartition("/")[2]

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def job(self, arn: str, step: str) -> Json:
        """The training job of a step."""
        return self.cloud.describe(self.steps(arn)[step]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2])
