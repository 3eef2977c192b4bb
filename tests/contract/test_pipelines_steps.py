"""Steps of every kind in pipelines: processing, transform, tuning."""

from typing import Any

import pytest

from contract import tuning
from contract.cloud import Cloud
from contract.flows import Flows, Json, compare, condition, fail, get
from contract.processors import Processors
from contract.transforms import Transforms

EVALUATE = """
import json, pathlib, sys
report = {"metrics": [{"accuracy": float(sys.argv[1])}], "labels": {"a b": 3}}
pathlib.Path("/opt/ml/processing/output/deep").mkdir()
pathlib.Path("/opt/ml/processing/output/deep/report.json").write_text(json.dumps(report))
"""
REPORT = {"PropertyFileName": "Report", "OutputName": "endofjob", "FilePath": "deep/report.json"}


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


def evaluation(flows: Flows, accuracy: Any, **members: Any) -> Json:
    """A Processing step that reports an accuracy."""
    arguments = Processors(flows.cloud).request(EVALUATE)
    del arguments["ProcessingJobName"]
    arguments["AppSpecification"]["ContainerArguments"] = [accuracy]
    return {"Name": "Evaluate", "Type": "Processing", "Arguments": arguments, "PropertyFiles": [REPORT], **members}


def read(path: str) -> Json:
    return {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Report"), "Path": path}}


def test_processing_and_its_property_file(flows: Flows) -> None:
    good = compare(read("metrics[0].accuracy"), "GreaterThan", 0.5)
    three = compare(read("$.labels['a b']"), "Equals", 3)
    text = {"Std:Join": {"Values": [read("metrics[0].accuracy")]}}
    branch = condition("Good", [good, three], [flows.training("Train", {"accuracy": text})])
    accuracy = {"Std:Join": {"Values": [get("Parameters.Accuracy")]}}
    cached = {"Enabled": True, "ExpireAfter": "P1D"}
    outputs = "Steps.Evaluate.ProcessingOutputConfig.Outputs"
    name = flows.create(
        evaluation(flows, accuracy, CacheConfig=cached),
        condition("Known", [compare(get(f"{outputs}['endofjob'].S3Output.S3UploadMode"), "Equals", "EndOfJob")]),
        branch,
        parameters=[{"Name": "Accuracy", "Type": "Float"}],
    )  # fmt: skip
    first = flows.wait(flows.start(name, {"Accuracy": "0.75"}))
    assert flows.status(first) == "Succeeded", flows.steps(first)
    assert flows.job(first, "Train")["HyperParameters"] == {"accuracy": "0.75"}
    low = flows.wait(flows.start(name, {"Accuracy": "0.25"}))
    assert flows.statuses(low) == {"Evaluate": "Succeeded", "Known": "Succeeded", "Good": "Succeeded"}
    assert flows.steps(low)["Good"]["Metadata"]["Condition"]["Outcome"] == "False"
    again = flows.wait(flows.start(name, {"Accuracy": "0.75"}))
    assert flows.steps(again)["Evaluate"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}


@pytest.mark.parametrize(
    ("path", "file", "reason"),
    [
        ("metrics[1].accuracy", "deep/report.json", "Steps.Evaluate.PropertyFiles.Report: there is no 1."),
        ("metrics", "no.json", "cannot be read: there is no object"),
        ("metrics", "deep/report.json", "cannot compare"),
    ],
)  # fmt: skip
def test_property_files_that_cannot_be_read(flows: Flows, path: str, file: str, reason: str) -> None:
    step = evaluation(flows, "1", PropertyFiles=[{**REPORT, "FilePath": file}])
    arn = flows.run(step, condition("Check", [compare(read(path), "Equals", 1)]))
    assert flows.statuses(arn) == {"Evaluate": "Succeeded", "Check": "Failed"}
    assert reason in flows.steps(arn)["Check"]["FailureReason"]


def test_transform(flows: Flows) -> None:
    """A model made in the pipeline answers a batch, whose output a later step reads."""
    transforms = Transforms(flows.cloud)
    arguments = transforms.request({"a.txt": b"hello"})
    del arguments["TransformJobName"]
    arguments["ModelName"] = get("Steps.Model.ModelName")
    transform = {"Name": "Transform", "Type": "Transform", "Arguments": arguments}
    train = flows.training("Train")
    model = flows.model("Model", get("Steps.Train.ModelArtifacts.S3ModelArtifacts"))
    end = fail("End", get("Steps.Transform.TransformOutput.S3OutputPath"))
    arn = flows.run(train, model, transform, end)
    steps = flows.steps(arn)
    assert flows.statuses(arn) == {
        "Train": "Succeeded",
        "Model": "Succeeded",
        "Transform": "Succeeded",
        "End": "Failed",
    }
    output = steps["End"]["Metadata"]["Fail"]["ErrorMessage"]
    assert flows.cloud.get(f"{output}/a.txt.out") == b"hello"
    assert steps["Transform"]["Metadata"]["TransformJob"]["Arn"].rpartition("/")[2].startswith("pipelines-")


@pytest.mark.parametrize("objective", ["Minimize", "Maximize"])
def test_tuning(flows: Flows, objective: str) -> None:
    """The best job is the first of the summaries, and its artifact becomes a model."""
    arguments = tuning.request(flows.cloud, static={"kind": "good", "n": "2"}, ResourceLimits=tuning.limits(3))
    del arguments["HyperParameterTuningJobName"]
    arguments["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = objective
    best = get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName")
    output = arguments["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]
    artifact = {"Std:Join": {"On": "/", "Values": [output, best, "output/model.tar.gz"]}}
    tune = {"Name": "Tune", "Type": "Tuning", "Arguments": arguments}
    name = flows.create(tune, flows.model("Best", artifact))
    arn = flows.wait(flows.start(name), 60)
    steps = flows.steps(arn)
    assert flows.status(arn) == "Succeeded", steps
    tuned = steps["Tune"]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
    assert tuned.startswith(f"{arn.rpartition('/')[2]}-Tune-")
    assert len(tuned) <= 32
    job = flows.client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuned)
    model = flows.client.describe_model(ModelName=steps["Best"]["Metadata"]["Model"]["Arn"].rpartition("/")[2])
    assert f"/{job['BestTrainingJob']['TrainingJobName']}/" in model["PrimaryContainer"]["ModelDataUrl"]


def test_tuning_stops_with_its_execution(flows: Flows) -> None:
    arguments = tuning.request(flows.cloud, static={"pause": "60"}, ResourceLimits=tuning.limits(3))
    del arguments["HyperParameterTuningJobName"]
    name = flows.create({"Name": "Tune", "Type": "Tuning", "Arguments": arguments})
    arn = flows.start(name)
    tuning_job = flows.started(arn, "Tune", "TuningJob")
    flows.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    flows.wait(arn)
    assert flows.statuses(arn) == {"Tune": "Stopped"}
    job = flows.client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
