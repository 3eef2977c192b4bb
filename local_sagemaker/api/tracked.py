"""What a job's trial component shows: taken from the job whenever it is asked for, so it is always true."""

from __future__ import annotations

from typing import Any

from local_sagemaker.store import Record, Store


def job_members(store: Store, component: Record) -> dict[str, Any]:
    """Status, times, parameters, artifacts and metrics of the job that a trial component stands for."""
    kind = component.get("_job")
    job = store.get(kind, component["Source"]["SourceArn"].rpartition("/")[2]) if kind else None
    if kind is None or job is None:
        return {}
    stem = kind.removesuffix("Job")
    status = {"PrimaryStatus": job[f"{kind}Status"], "Message": job.get("FailureReason", "")}
    times = {"StartTime": job.get(f"{stem}StartTime"), "EndTime": job.get(f"{stem}EndTime")}
    own = {"Status": status, **{name: value for name, value in times.items() if value is not None}}
    made = _training(job) if kind == "TrainingJob" else _processing(job) if kind == "ProcessingJob" else {}
    for name, values in made.items():
        own[name] = {**values, **component.get(name, {})}
    return {**own, "Metrics": [*component["Metrics"], *_final(job, component["Source"]["SourceArn"])]}


def _final(job: Record, arn: str) -> list[dict[str, Any]]:
    """A job keeps the last value of each metric only."""
    return [
        {"MetricName": m["MetricName"], "SourceArn": arn, "TimeStamp": m["Timestamp"], "Last": m["Value"]}
        for m in job.get("FinalMetricDataList", [])
    ]


def _training(job: Record) -> dict[str, dict[str, Any]]:
    resources, image = job["ResourceConfig"], job["AlgorithmSpecification"].get("TrainingImage", "")
    sources = {
        channel["ChannelName"]: {"Value": channel["DataSource"]["S3DataSource"]["S3Uri"]}
        for channel in job.get("InputDataConfig", [])
    }
    return {
        "Parameters": {**_resources(resources), **_values(job.get("HyperParameters", {}))},
        "InputArtifacts": {"SageMaker.ImageUri": {"Value": image}, **sources},
        "OutputArtifacts": {"SageMaker.ModelArtifact": {"Value": job["ModelArtifacts"]["S3ModelArtifacts"]}},
    }


def _processing(job: Record) -> dict[str, dict[str, Any]]:
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    image = {"Value": job["AppSpecification"]["ImageUri"]}
    sources = {i["InputName"]: {"Value": i["S3Input"]["S3Uri"]} for i in job.get("ProcessingInputs", [])}
    return {
        "Parameters": {
            **_resources(job["ProcessingResources"]["ClusterConfig"]),
            **_values(job.get("Environment", {})),
        },
        "InputArtifacts": {"SageMaker.ImageUri": image, **sources},
        "OutputArtifacts": {o["OutputName"]: {"Value": o["S3Output"]["S3Uri"]} for o in outputs},
    }


def _resources(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "SageMaker.InstanceType": {"StringValue": resources["InstanceType"]},
        "SageMaker.InstanceCount": {"NumberValue": resources["InstanceCount"]},
        "SageMaker.VolumeSizeInGB": {"NumberValue": resources["VolumeSizeInGB"]},
    }


def _values(texts: dict[str, str]) -> dict[str, Any]:
    return {name: _value(text) for name, text in texts.items()}


def _value(text: str) -> dict[str, Any]:
    try:
        return {"NumberValue": float(text)} if text.strip().lower() not in ("nan", "inf", "-inf") else _text(text)
    except ValueError:
        return _text(text)


def _text(text: str) -> dict[str, Any]:
    return {"StringValue": text[:2500]}
