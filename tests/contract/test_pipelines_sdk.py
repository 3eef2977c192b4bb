"""Pipelines as the SageMaker SDK v3 defines, starts and watches them."""

import boto3
import pytest

from contract.cloud import Cloud, unique
from contract.flows import Flows

pytest.importorskip("sagemaker.train", reason="the SageMaker SDK v3 is not installed")


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


@pytest.fixture(scope="module")
def session(cloud: Cloud):
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    return PipelineSession(boto_session=boto3.Session(region_name=cloud.connection.region), default_bucket=cloud.bucket)


def trainer(cloud: Cloud, session, **options):
    from sagemaker.core.training.configs import Compute, OutputDataConfig, StoppingCondition
    from sagemaker.train import ModelTrainer

    return ModelTrainer(
        training_image="registry/tiny:1",
        role=cloud.connection.role_arn,
        sagemaker_session=session,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=120),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{cloud.bucket}/sdk"),
        base_job_name=unique("sdk"),
        **options,
    )


def pipeline(session, steps: list, parameters: list | None = None):
    from sagemaker.mlops.workflow.pipeline import Pipeline

    return Pipeline(name=unique("sdk-flow"), parameters=parameters or [], steps=steps, sagemaker_session=session)


def test_a_pipeline(cloud: Cloud, flows: Flows, session) -> None:
    from sagemaker.core.shapes import MetricDefinition
    from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
    from sagemaker.core.workflow.functions import Join
    from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.steps import CacheConfig, TrainingStep

    lines, limit = ParameterInteger("Lines", 2), ParameterFloat("Limit", 0.4)
    estimator = trainer(cloud, session, hyperparameters={"lines": lines.to_string()})
    estimator = estimator.with_metric_definitions([MetricDefinition(name="loss", regex=r"\bloss=([0-9.]+);")])
    train = TrainingStep("Train", step_args=estimator.train(), cache_config=CacheConfig(True, "PT1H"))
    loss = train.properties.FinalMetricDataList["loss"].Value
    stop = FailStep("TooBad", error_message=Join(on=" ", values=["loss of", loss]))
    good = ConditionStep("Good", conditions=[ConditionLessThanOrEqualTo(loss, limit)], if_steps=[], else_steps=[stop])
    flow = pipeline(session, [train, good], [lines, limit])
    flow.upsert(role_arn=cloud.connection.role_arn)
    flow.upsert(role_arn=cloud.connection.role_arn, description="again", tags=[{"Key": "lab", "Value": "01"}])
    execution = flow.start(parameters={"Lines": 5})
    execution.wait(delay=1)
    steps = {step["StepName"]: step for step in execution.list_steps()}
    assert [step["StepStatus"] for step in steps.values()] == ["Succeeded", "Succeeded"]
    assert steps["Good"]["Metadata"]["Condition"]["Outcome"] == "True"
    assert flow.describe()["PipelineDescription"] == "again"
    with pytest.raises(Exception, match="terminal failure"):
        flow.start().wait(delay=1)
    assert len(flow.list_executions()["PipelineExecutionSummaries"]) == 2
    assert execution.list_parameters()["PipelineParameters"][0] == {"Name": "Lines", "Value": "5"}
    flow.delete()
