"""The genuine SDK's HyperparameterTuner against the server."""

import pytest

from contract import tuning
from contract.cloud import Cloud, unique
from contract.sdk import model_trainer, plain_session

pytest.importorskip("sagemaker.train", reason="the SageMaker SDK v3 is not installed")
pytestmark = pytest.mark.sdk

METRIC = [{"Name": "loss", "Regex": r"\bloss=([0-9.]+);"}]


@pytest.fixture(scope="module")
def trainer(cloud: Cloud):
    tuned = {"kind": "good", "x": 0.1, "n": 3}
    return model_trainer(cloud, plain_session(cloud), training_image="registry/tuned", hyperparameters=tuned)


def tuner(trainer, ranges, **options):
    from sagemaker.train.tuner import HyperparameterTuner

    return HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="loss",
        objective_type="Minimize",
        hyperparameter_ranges=ranges,
        metric_definitions=METRIC,
        base_tuning_job_name=unique("sdk"),
        **{"max_jobs": 6, "max_parallel_jobs": 2, **options},
    )


@pytest.fixture(scope="module")
def finished(cloud: Cloud, trainer):
    """A tuner that has tuned over all kinds of ranges, with a channel."""
    from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
    from sagemaker.core.training.configs import InputData

    cloud.put("tuner-data/x.txt")
    made = tuner(
        trainer,
        {
            "x": ContinuousParameter(1e-4, 1.0, scaling_type="Logarithmic"),
            "n": IntegerParameter(1, 6),
            "kind": CategoricalParameter(["good", "bad"]),
        },
        strategy="Bayesian",
        random_seed=3,
        early_stopping_type="Auto",
        tags=[{"Key": "a", "Value": "b"}],
    )
    made.tune([InputData(channel_name="training", data_source=f"s3://{cloud.bucket}/tuner-data/")], wait=True)
    return made


def test_best_training_job_and_analytics(cloud: Cloud, finished):
    frame = finished.analytics().dataframe()
    assert len(frame) == 6
    assert set(frame["TrainingJobStatus"]) <= {"Completed", "Stopped"}
    best = frame.sort_values("FinalObjectiveValue").iloc[0]
    assert finished.best_training_job() == best["TrainingJobName"]
    assert {"x", "n", "kind", "TrainingStartTime", "TrainingEndTime", "TrainingElapsedTimeSeconds"} <= set(frame)
    assert frame["x"].between(1e-4, 1).all()
    ranges = finished.analytics().tuning_ranges
    assert ranges["n"] == {"Name": "n", "MinValue": "1", "MaxValue": "6", "ScalingType": "Auto"}
    assert ranges["kind"] == {"Name": "kind", "Values": ["good", "bad"]}


def test_describe_and_children(cloud: Cloud, finished):
    job = finished.describe()
    assert job.hyper_parameter_tuning_job_status == "Completed"
    assert job.training_job_status_counters.completed + job.training_job_status_counters.stopped == 6
    child = cloud.describe(finished.best_training_job())
    assert child["InputDataConfig"][0]["ChannelName"] == "training"
    assert child["TuningJobArn"] == job.hyper_parameter_tuning_job_arn


def test_warm_start(cloud: Cloud, trainer, finished):
    """By the configuration: the SDK's own transfer_learning_tuner() fails on a field name of its own (3.27)."""
    from sagemaker.core.parameter import ContinuousParameter
    from sagemaker.core.shapes import HyperParameterTuningJobWarmStartConfig, ParentHyperParameterTuningJob

    parent = finished.latest_tuning_job.hyper_parameter_tuning_job_name
    warm = HyperParameterTuningJobWarmStartConfig(
        parent_hyper_parameter_tuning_jobs=[ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name=parent)],
        warm_start_type="TransferLearning",
    )
    ranges = {"x": ContinuousParameter(0.0, 1.0)}
    made = tuner(trainer, ranges, max_jobs=1, max_parallel_jobs=1, warm_start_config=warm)
    made.tune(wait=True)
    job = tuning.describe(cloud, made.latest_tuning_job.hyper_parameter_tuning_job_name)
    assert job["WarmStartConfig"]["ParentHyperParameterTuningJobs"] == [{"HyperParameterTuningJobName": parent}]
    assert job["HyperParameterTuningJobStatus"] == "Completed"


def test_grid_and_stop(cloud: Cloud, trainer):
    from sagemaker.core.parameter import CategoricalParameter

    made = tuner(trainer, {"pause": CategoricalParameter([600, 601])}, strategy="Grid", max_jobs=None)
    made.tune(wait=False)
    made.stop_tuning_job()
    name = made.latest_tuning_job.hyper_parameter_tuning_job_name
    assert tuning.wait(cloud, name)["HyperParameterTuningJobStatus"] == "Stopped"
    assert (
        cloud.sagemaker.list_tags(ResourceArn=tuning.describe(cloud, name)["HyperParameterTuningJobArn"])["Tags"] == []
    )


def test_a_failure_is_raised(trainer):
    from sagemaker.core.parameter import ContinuousParameter

    made = tuner(trainer, {"x": ContinuousParameter(3.0, 4.0)}, max_jobs=2)
    with pytest.raises(Exception, match="No training job succeeded"):
        made.tune(wait=True)
