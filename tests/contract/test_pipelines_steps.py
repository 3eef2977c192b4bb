"""Steps of every kind in pipelines: tuning."""

import pytest

from contract import tuning
from contract.cloud import Cloud
from contract.flows import Flows, get


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


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
