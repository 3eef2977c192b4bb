"""Pipelines as the SageMaker SDK v3 defines, starts and watches them."""

from pathlib import Path

import boto3
import pytest

from contract.cloud import Cloud, unique
from contract.flows import Flows
from contract.sdk import model_trainer

pytestmark = pytest.mark.sdk
pytest.importorskip("sagemaker.train", reason="the SageMaker SDK v3 is not installed")


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


@pytest.fixture(scope="module")
def session(cloud: Cloud):
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    return PipelineSession(boto_session=boto3.Session(region_name=cloud.connection.region), default_bucket=cloud.bucket)


def channels(cloud: Cloud) -> list:
    """One channel; SDK 3.12 cannot train without any."""
    from sagemaker.core.training.configs import InputData

    return [InputData(channel_name="training", data_source=cloud.put("sdk-flow/x.txt"))]


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
    estimator = model_trainer(cloud, session, hyperparameters={"lines": lines.to_string()})
    estimator = estimator.with_metric_definitions([MetricDefinition(name="loss", regex=r"\bloss=([0-9.]+);")])
    arguments = estimator.train(input_data_config=channels(cloud))
    train = TrainingStep("Train", step_args=arguments, cache_config=CacheConfig(True, "PT1H"))
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
    trials = cloud.sagemaker.list_trials(ExperimentName=flow.name)["TrialSummaries"]
    assert [trial["TrialName"] for trial in trials] == [execution.arn.rpartition("/")[2]]
    components = cloud.sagemaker.list_trial_components(ExperimentName=flow.name)["TrialComponentSummaries"]
    assert [component["TrialComponentSource"]["SourceArn"] for component in components] == [
        steps["Train"]["Metadata"]["TrainingJob"]["Arn"]
    ]
    with pytest.raises(Exception, match="terminal failure"):
        flow.start().wait(delay=1)
    assert len(flow.list_executions()["PipelineExecutionSummaries"]) == 2
    assert execution.list_parameters()["PipelineParameters"][0] == {"Name": "Lines", "Value": "5"}
    flow.delete()


def test_models(cloud: Cloud, flows: Flows, session) -> None:
    """The artifact of a training step becomes a model, and a version in the registry."""
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.steps import TrainingStep
    from sagemaker.serve import ModelBuilder

    group = unique("sdk-group")
    cloud.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    train = TrainingStep("Train", step_args=model_trainer(cloud, session).train(input_data_config=channels(cloud)))
    builder = ModelBuilder(
        image_uri="registry/tiny:1",
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=cloud.connection.role_arn,
        sagemaker_session=session,
    )
    create = ModelStep("Create", step_args=builder.build())
    registered = builder.register(
        model_package_group_name=group,
        content_types=["text/plain"],
        response_types=["text/plain"],
        approval_status="Approved",
    )
    register = ModelStep("Register", step_args=registered)
    flow = pipeline(session, [train, create, register])
    flow.upsert(role_arn=cloud.connection.role_arn)
    execution = flow.start()
    execution.wait(delay=1)
    artifact = flows.job(execution.arn, "Train")["ModelArtifacts"]["S3ModelArtifacts"]
    steps = flows.steps(execution.arn)
    name = steps["Create"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    assert cloud.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["ModelDataUrl"] == artifact
    package = cloud.sagemaker.describe_model_package(
        ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == artifact
    assert package["ModelPackageGroupName"] == group


def test_source_code(cloud: Cloud, flows: Flows, session, tmp_path: Path) -> None:
    """The SDK's drivers run in a step."""
    from sagemaker.core.training.configs import SourceCode
    from sagemaker.mlops.workflow.steps import TrainingStep

    script = "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'made').write_text('in a pipeline')\n"
    (tmp_path / "entry.py").write_text(script)
    source = SourceCode(source_dir=str(tmp_path), entry_script="entry.py")
    arguments = model_trainer(cloud, session, source_code=source).train(input_data_config=channels(cloud))
    step = TrainingStep("Train", step_args=arguments)
    flow = pipeline(session, [step])
    flow.create(role_arn=cloud.connection.role_arn)
    execution = flow.start()
    flows.wait(execution.arn)
    job = flows.job(execution.arn, "Train")
    assert cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"made": b"in a pipeline"}


def test_tuning(cloud: Cloud, flows: Flows, session) -> None:
    from sagemaker.core.parameter import ContinuousParameter
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.steps import TuningStep
    from sagemaker.train.tuner import HyperparameterTuner

    tuner = HyperparameterTuner(
        model_trainer=model_trainer(cloud, session, training_image="registry/tuned"),
        objective_metric_name="loss",
        objective_type="Minimize",
        metric_definitions=[{"Name": "loss", "Regex": r"\bloss=([0-9.]+);"}],
        hyperparameter_ranges={"x": ContinuousParameter(0.0, 1.0)},
        strategy="Random",
        max_jobs=2,
        max_parallel_jobs=2,
    )
    step = TuningStep("Tune", step_args=tuner.tune())
    best = step.get_top_model_s3_uri(0, cloud.bucket, "sdk")
    flow = pipeline(session, [step, FailStep("Stop", error_message=best)])
    flow.create(role_arn=cloud.connection.role_arn)
    arn = flows.wait(flow.start().arn)
    steps = flows.steps(arn)
    assert steps["Tune"]["StepStatus"] == "Succeeded", steps
    assert "hyperparameters.json" in cloud.unpacked(steps["Stop"]["Metadata"]["Fail"]["ErrorMessage"])


def test_processing_and_transform(cloud: Cloud, flows: Flows, session, tmp_path: Path) -> None:
    """Train, make a model, transform a batch with it, judge the batch with a script, decide by its report."""
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
    from sagemaker.core.transformer import Transformer
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.core.workflow.functions import JsonGet
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
    from sagemaker.serve import ModelBuilder

    role, uri = cloud.connection.role_arn, f"s3://{cloud.bucket}/{unique('batch')}"
    data = ParameterString("Data", f"{uri}/in/")
    cloud.put(f"{uri.split('/', 3)[3]}/in/a.txt", b"hello")
    train = TrainingStep("Train", step_args=model_trainer(cloud, session).train(input_data_config=channels(cloud)))
    builder = ModelBuilder(
        image_uri="registry/tiny:1",
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=role,
        sagemaker_session=session,
    )
    model = ModelStep("Model", step_args=builder.build())
    transformer = Transformer(
        model_name=model.properties.ModelName,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"{uri}/out",
        sagemaker_session=session,
    )
    transform = TransformStep("Batch", step_args=transformer.transform(data=data, content_type="text/plain"))
    script = tmp_path / "judge.py"
    script.write_text(
        "import json, pathlib\n"
        "text = pathlib.Path('/opt/ml/processing/batch/a.txt.out').read_text()\n"
        "pathlib.Path('/opt/ml/processing/report/report.json').write_text(json.dumps({'answer': {'text': text}}))\n"
    )
    batch = ProcessingS3Input(
        s3_uri=transform.properties.TransformOutput.S3OutputPath,
        local_path="/opt/ml/processing/batch",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
    )
    kept = ProcessingS3Output(s3_uri=f"{uri}/report", local_path="/opt/ml/processing/report", s3_upload_mode="EndOfJob")
    processor = ScriptProcessor(
        image_uri="registry/tiny:1",
        command=["python3"],
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    arguments = processor.run(
        code=str(script),
        inputs=[ProcessingInput(input_name="batch", s3_input=batch)],
        outputs=[ProcessingOutput(output_name="report", s3_output=kept)],
    )
    report = PropertyFile(name="Report", output_name="report", path="report.json")
    judge = ProcessingStep("Judge", step_args=arguments, property_files=[report])
    answer = JsonGet(step_name="Judge", property_file=report, json_path="answer.text")
    wrong = FailStep("Wrong", error_message="not what was sent")
    check = ConditionStep("Check", conditions=[ConditionEquals(answer, "hello")], if_steps=[], else_steps=[wrong])
    flow = pipeline(session, [train, model, transform, judge, check], [data])
    flow.upsert(role_arn=role)
    execution = flow.start()
    flows.wait(execution.arn, 60)
    assert flows.status(execution.arn) == "Succeeded", execution.list_steps()
    assert list(flows.steps(execution.arn)) == ["Train", "Model", "Batch", "Judge", "Check"]
