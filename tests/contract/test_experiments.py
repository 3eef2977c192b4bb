"""Experiments, trials, trial components, lineage, and the values that a Run logs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from contract.cloud import Cloud, error_of, unique


@pytest.fixture
def trial(cloud: Cloud) -> str:
    """A trial in an experiment of the same name."""
    name = unique("trial")
    cloud.sagemaker.create_experiment(ExperimentName=name, Description="first words")
    cloud.sagemaker.create_trial(TrialName=name, ExperimentName=name)
    return name


@pytest.fixture
def component(cloud: Cloud) -> str:
    name = unique("Component")
    cloud.sagemaker.create_trial_component(
        TrialComponentName=name, Parameters={"rate": {"NumberValue": 0.1}, "kind": {"StringValue": "sgd"}}
    )
    return name


@pytest.fixture(scope="module")
def metrics(cloud: Cloud) -> BaseClient:
    return cloud.connect(cloud.connection, "sagemaker-metrics")


def test_experiment(cloud: Cloud, trial: str) -> None:
    sagemaker = cloud.sagemaker
    sagemaker.update_experiment(ExperimentName=trial, DisplayName="Signals")
    described = sagemaker.describe_experiment(ExperimentName=trial)
    assert (described["DisplayName"], described["Description"]) == ("Signals", "first words")
    after = described["CreationTime"] - timedelta(seconds=1)
    listed = sagemaker.list_experiments(CreatedAfter=after, MaxResults=100)["ExperimentSummaries"]
    assert trial in [e["ExperimentName"] for e in listed]
    before = sagemaker.list_experiments(CreatedBefore=after, MaxResults=100)["ExperimentSummaries"]
    assert trial not in [e["ExperimentName"] for e in before]


def test_trials(cloud: Cloud, trial: str, component: str) -> None:
    sagemaker = cloud.sagemaker
    sagemaker.update_trial(TrialName=trial, DisplayName="T1")
    assert sagemaker.describe_trial(TrialName=trial)["DisplayName"] == "T1"
    assert [t["TrialName"] for t in sagemaker.list_trials(ExperimentName=trial)["TrialSummaries"]] == [trial]
    assert sagemaker.list_trials(TrialComponentName=component)["TrialSummaries"] == []
    sagemaker.associate_trial_component(TrialComponentName=component, TrialName=trial)
    assert [t["TrialName"] for t in sagemaker.list_trials(TrialComponentName=component)["TrialSummaries"]] == [trial]


def test_trial_component(cloud: Cloud, trial: str, component: str) -> None:
    sagemaker = cloud.sagemaker
    sagemaker.update_trial_component(
        TrialComponentName=component,
        Status={"PrimaryStatus": "Completed"},
        Parameters={"rate": {"NumberValue": 0.2}},
        ParametersToRemove=["kind"],
        OutputArtifacts={"model": {"Value": "s3://b/k", "MediaType": "application/gzip"}},
    )
    described = sagemaker.describe_trial_component(TrialComponentName=component)
    assert described["Status"] == {"PrimaryStatus": "Completed"}
    assert described["Parameters"] == {"rate": {"NumberValue": 0.2}}
    assert described["OutputArtifacts"]["model"]["Value"] == "s3://b/k"
    sagemaker.associate_trial_component(TrialComponentName=component, TrialName=trial)
    for chosen in ({"TrialName": trial}, {"ExperimentName": trial}):
        listed = sagemaker.list_trial_components(**chosen)["TrialComponentSummaries"]
        assert [c["TrialComponentName"] for c in listed] == [component]
    sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=trial)
    assert sagemaker.list_trial_components(TrialName=trial)["TrialComponentSummaries"] == []


def test_deletions_from_the_inside_out(cloud: Cloud, trial: str, component: str) -> None:
    sagemaker = cloud.sagemaker
    sagemaker.associate_trial_component(TrialComponentName=component, TrialName=trial)
    assert "1 trials" in error_of(sagemaker.delete_experiment, ExperimentName=trial)[2]
    assert "1 trial components" in error_of(sagemaker.delete_trial, TrialName=trial)[2]
    assert trial in error_of(sagemaker.delete_trial_component, TrialComponentName=component)[2]
    sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName=trial)
    sagemaker.delete_trial_component(TrialComponentName=component)
    sagemaker.delete_trial(TrialName=trial)
    sagemaker.delete_experiment(ExperimentName=trial)
    assert error_of(sagemaker.describe_experiment, ExperimentName=trial)[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("describe_experiment", {"ExperimentName": "absent"}),
        ("update_experiment", {"ExperimentName": "absent", "DisplayName": "x"}),
        ("delete_experiment", {"ExperimentName": "absent"}),
        ("create_trial", {"TrialName": "new", "ExperimentName": "absent"}),
        ("describe_trial", {"TrialName": "absent"}),
        ("update_trial", {"TrialName": "absent", "DisplayName": "x"}),
        ("delete_trial", {"TrialName": "absent"}),
        ("list_trials", {"ExperimentName": "absent"}),
        ("describe_trial_component", {"TrialComponentName": "absent"}),
        ("update_trial_component", {"TrialComponentName": "absent", "DisplayName": "x"}),
        ("delete_trial_component", {"TrialComponentName": "absent"}),
        ("list_trial_components", {"TrialName": "absent"}),
        ("associate_trial_component", {"TrialComponentName": "absent", "TrialName": "absent"}),
        ("disassociate_trial_component", {"TrialComponentName": "absent", "TrialName": "absent"}),
        ("describe_context", {"ContextName": "absent"}),
        ("update_context", {"ContextName": "absent", "Description": "x"}),
        ("delete_context", {"ContextName": "absent"}),
        ("describe_action", {"ActionName": "absent"}),
        ("update_action", {"ActionName": "absent", "Description": "x"}),
        ("delete_action", {"ActionName": "absent"}),
        ("describe_artifact", {"ArtifactArn": "arn:aws:sagemaker:us-east-1:123456789012:artifact/absent"}),
        ("update_artifact", {"ArtifactArn": "arn:aws:sagemaker:us-east-1:123456789012:artifact/absent"}),
        ("delete_artifact", {"Source": {"SourceUri": "s3://nobody/knows"}}),
    ],
)
def test_absent(cloud: Cloud, operation: str, arguments: dict[str, Any]) -> None:
    code, status, message = error_of(getattr(cloud.sagemaker, operation), **arguments)
    assert (code, status) == ("ResourceNotFound", 400)
    assert "does not exist" in message


def test_refusals(cloud: Cloud, trial: str, component: str) -> None:
    sagemaker = cloud.sagemaker
    assert "already exists" in error_of(sagemaker.create_experiment, ExperimentName=trial)[2]
    assert "already exists" in error_of(sagemaker.create_trial, TrialName=trial, ExperimentName=trial)[2]
    assert "already exists" in error_of(sagemaker.create_trial_component, TrialComponentName=component)[2]
    both = {"TrialName": trial, "ExperimentName": trial}
    assert "Only one of" in error_of(sagemaker.list_trial_components, **both)[2]
    code = error_of(sagemaker.disassociate_trial_component, TrialComponentName=component, TrialName=trial)[0]
    assert code == "ResourceNotFound"
    assert "pattern" in error_of(sagemaker.create_experiment, ExperimentName="-no-name")[2]


def test_metrics(cloud: Cloud, metrics: BaseClient, component: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    values = [
        {"MetricName": "loss", "Timestamp": now + timedelta(seconds=n), "Step": n, "Value": v}
        for n, v in enumerate((4.0, 2.0, 3.0))
    ]
    assert not metrics.batch_put_metrics(TrialComponentName=component.lower(), MetricData=values).get("Errors")
    (loss,) = cloud.sagemaker.describe_trial_component(TrialComponentName=component)["Metrics"]
    assert (loss["MetricName"], loss["Count"], loss["Last"]) == ("loss", 3, 3.0)
    assert (loss["Min"], loss["Max"], loss["Avg"]) == (2.0, 4.0, 3.0)
    assert loss["StdDev"] == pytest.approx((2 / 3) ** 0.5)
    assert loss["TimeStamp"] == now + timedelta(seconds=2)


def test_metrics_refusals(cloud: Cloud, metrics: BaseClient, component: str) -> None:
    now = datetime.now(UTC)
    good = {"MetricName": "loss", "Timestamp": now, "Value": 1.0}
    old = {**good, "Timestamp": now - timedelta(days=15)}
    answer = metrics.batch_put_metrics(TrialComponentName=component.lower(), MetricData=[old, good])
    assert answer["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
    (loss,) = cloud.sagemaker.describe_trial_component(TrialComponentName=component)["Metrics"]
    assert loss["Count"] == 1
    answer = metrics.batch_put_metrics(TrialComponentName="absent", MetricData=[good])
    assert answer["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
    query = {
        "MetricName": "a",
        "ResourceArn": "arn:x",
        "MetricStat": "Avg",
        "Period": "OneHour",
        "XAxisType": "Timestamp",
    }
    assert "BatchGetMetrics is not emulated" in error_of(metrics.batch_get_metrics, MetricQueries=[query])[2]


def test_lineage(cloud: Cloud, component: str) -> None:
    sagemaker = cloud.sagemaker
    source = {
        "SourceUri": f"s3://{cloud.bucket}/{component}",
        "SourceTypes": [{"SourceIdType": "S3ETag", "Value": "e"}],
    }
    artifact = sagemaker.create_artifact(ArtifactName="curve", ArtifactType="ROCCurve", Source=source)["ArtifactArn"]
    again = {"ArtifactType": "ROCCurve", "Source": source}
    assert "already exists" in error_of(sagemaker.create_artifact, **again)[2]
    arn = sagemaker.describe_trial_component(TrialComponentName=component)["TrialComponentArn"]
    edge = {"SourceArn": arn, "DestinationArn": artifact}
    sagemaker.add_association(**edge, AssociationType="Produced")
    assert "already exists" in error_of(sagemaker.add_association, **edge)[2]
    (association,) = sagemaker.list_associations(DestinationArn=artifact)["AssociationSummaries"]
    assert association["SourceArn"] == arn
    assert association["AssociationType"] == "Produced"
    assert association["DestinationType"] == "ROCCurve"
    assert sagemaker.list_associations(SourceArn=artifact)["AssociationSummaries"] == []
    assert "associations" in error_of(sagemaker.delete_artifact, ArtifactArn=artifact)[2]
    sagemaker.delete_association(**edge)
    assert error_of(sagemaker.delete_association, **edge)[0] == "ResourceNotFound"
    sagemaker.update_artifact(ArtifactArn=artifact, Properties={"auc": "0.9"})
    assert sagemaker.describe_artifact(ArtifactArn=artifact)["Properties"] == {"auc": "0.9"}
    listed = sagemaker.list_artifacts(SourceUri=source["SourceUri"])["ArtifactSummaries"]
    assert [a["ArtifactArn"] for a in listed] == [artifact]
    sagemaker.delete_artifact(ArtifactArn=artifact)
    missing = {"SourceArn": arn, "DestinationArn": artifact}
    assert error_of(sagemaker.add_association, **missing)[0] == "ResourceNotFound"


@pytest.mark.parametrize("kind", ["context", "action"])
def test_contexts_and_actions(cloud: Cloud, kind: str) -> None:
    def call(verb: str, **arguments: Any) -> dict[str, Any]:
        return getattr(cloud.sagemaker, f"{verb}_{kind}")(**arguments)

    stem, name = kind.capitalize(), unique(kind)
    request = {f"{stem}Name": name, f"{stem}Type": "Lab", "Source": {"SourceUri": "s3://b/k"}, "Properties": {"a": "1"}}
    arn = call("create", **request)[f"{stem}Arn"]
    assert "already exists" in error_of(call, verb="create", **request)[2]
    call("update", **{f"{stem}Name": name, "Properties": {"b": "2"}, "PropertiesToRemove": ["a"]})
    described = call("describe", **{f"{stem}Name": name})
    assert (described["Properties"], described[f"{stem}Arn"]) == ({"b": "2"}, arn)
    listed = getattr(cloud.sagemaker, f"list_{kind}s")(**{f"{stem}Type": "Lab"})[f"{stem}Summaries"]
    assert [item[f"{stem}Name"] for item in listed] == [name]
    call("delete", **{f"{stem}Name": name})


def test_training_job_in_a_trial(cloud: Cloud, trial: str) -> None:
    config = {"ExperimentName": trial, "TrialName": trial, "TrialComponentDisplayName": "Training"}
    job = cloud.run({"rate": 0.5, "lines": 2}, ExperimentConfig=config)
    assert job["ExperimentConfig"] == config
    listed = cloud.sagemaker.list_trial_components(SourceArn=job["TrainingJobArn"])["TrialComponentSummaries"]
    assert [c["DisplayName"] for c in listed] == ["Training"]
    name = listed[0]["TrialComponentName"]
    assert [t["TrialName"] for t in cloud.sagemaker.list_trials(TrialComponentName=name)["TrialSummaries"]] == [trial]
    component = cloud.sagemaker.describe_trial_component(TrialComponentName=name)
    assert component["Status"]["PrimaryStatus"] == "Completed"
    assert component["Parameters"]["rate"] == {"NumberValue": 0.5}
    model = component["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"]
    assert model == job["ModelArtifacts"]["S3ModelArtifacts"]
    loss = {metric["MetricName"]: metric["Last"] for metric in component["Metrics"]}
    assert loss == {"train:loss": 0.5}


def test_training_job_in_an_experiment(cloud: Cloud, trial: str) -> None:
    """A job that names no trial gets one of its own."""
    job = cloud.run(ExperimentConfig={"ExperimentName": trial})
    names = [t["TrialName"] for t in cloud.sagemaker.list_trials(ExperimentName=trial)["TrialSummaries"]]
    (own,) = set(names) - {trial}
    (component,) = cloud.sagemaker.list_trial_components(TrialName=own)["TrialComponentSummaries"]
    assert component["TrialComponentSource"]["SourceArn"] == job["TrainingJobArn"]


def test_training_job_in_no_trial(cloud: Cloud) -> None:
    request = cloud.job_request(ExperimentConfig={"TrialName": "absent"})
    assert error_of(cloud.sagemaker.create_training_job, **request)[0] == "ResourceNotFound"


@pytest.mark.sdk
def test_run_of_the_sdk(cloud: Cloud, tmp_path: Path) -> None:
    pytest.importorskip("sagemaker.core.experiments", reason="this SageMaker SDK has no experiments")
    from sagemaker.core.experiments.run import Run, list_runs, load_run
    from sagemaker.core.helper.session_helper import Session

    session = Session(boto_session=boto3.Session(region_name=cloud.connection.region), default_bucket=cloud.bucket)
    experiment = unique("sdk-experiment")
    (tmp_path / "notes.txt").write_text("notes")
    with Run(experiment_name=experiment, run_name="first", sagemaker_session=session) as run:
        run.log_parameter("rate", 0.1)
        run.log_parameters({"layers": 3, "kind": "sgd"})
        for step in range(12):
            run.log_metric("loss", 1 / (step + 1), step=step)
        run.log_file(str(tmp_path / "notes.txt"), name="notes")
        run._log_graph_artifact(
            data={"x": [1]}, graph_type="ROCCurve", is_output=True, artifact_name="roc"
        )  # log_roc_curve without scikit-learn
    with load_run(experiment_name=experiment, run_name="first", sagemaker_session=session) as again:
        again.log_metric("mAP", 0.6)
    described = cloud.sagemaker.describe_trial_component(TrialComponentName=f"{experiment}-first")
    assert described["Status"]["PrimaryStatus"] == "Completed"
    assert described["Parameters"]["layers"] == {"NumberValue": 3.0}
    assert {m["MetricName"]: m["Count"] for m in described["Metrics"]} == {"loss": 12, "mAP": 1}
    assert cloud.get(described["OutputArtifacts"]["notes"]["Value"]) == b"notes"
    produced = cloud.sagemaker.list_associations(SourceArn=described["TrialComponentArn"])["AssociationSummaries"]
    assert [a["DestinationName"] for a in produced] == ["roc"]
    runs = list_runs(experiment_name=experiment, sagemaker_session=session)
    assert [r.run_name for r in runs] == ["first"]
