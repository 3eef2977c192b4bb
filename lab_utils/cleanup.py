"""Nothing of a lab may go on running, or costing money, after it: what a failed or interrupted cell left is ended."""

from typing import Any

from lab_utils import tuning
from lab_utils.endpoints import delete_endpoint
from lab_utils.session import LabSession

_JOBS = {
    "tuning job": ("hyper_parameter_tuning_job", "HyperParameterTuningJobSummaries", "HyperParameterTuningJob"),
    "training job": ("training_job", "TrainingJobSummaries", "TrainingJob"),
    "processing job": ("processing_job", "ProcessingJobSummaries", "ProcessingJob"),
    "transform job": ("transform_job", "TransformJobSummaries", "TransformJob"),
}


def clean_up(lab: LabSession, name: str) -> list[str]:
    """Stop the jobs and delete the endpoints, configurations and models that are called `lab.named(name)-...`.

    Jobs of tuning have names of their own, by `tuning.job_name`.

    Returns:
        What was still there, as `kind name`; an empty list after a lab that went well.
    """
    client, start = lab.client("sagemaker"), f"{lab.named(name)}-"
    starts = {"tuning job": tuning.name_start(lab, name)}
    jobs = {kind: _stop(client, kind, starts.get(kind, start)) for kind in _JOBS}
    endpoints = _names(client, "list_endpoints", "Endpoints", "EndpointName", start)
    for endpoint in endpoints:
        delete_endpoint(client, endpoint)
    configs = _names(client, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", start)
    for config in configs:
        client.delete_endpoint_config(EndpointConfigName=config)
    models = _names(client, "list_models", "Models", "ModelName", start)
    for model in models:
        client.delete_model(ModelName=model)
    kinds = {**jobs, "endpoint": endpoints, "endpoint configuration": configs, "model": models}
    return [f"{kind} {found}" for kind, names in kinds.items() for found in names]


def _stop(client: Any, kind: str, start: str) -> list[str]:
    operation, summaries, member = _JOBS[kind]
    running = _names(client, f"list_{operation}s", summaries, f"{member}Name", start, StatusEquals="InProgress")
    for name in running:
        getattr(client, f"stop_{operation}")(**{f"{member}Name": name})
    return running


def _names(client: Any, operation: str, member: str, key: str, start: str, **options: str) -> list[str]:
    pages = client.get_paginator(operation).paginate(NameContains=start, **options)
    return [summary[key] for page in pages for summary in page[member] if summary[key].startswith(start)]
