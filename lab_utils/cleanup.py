"""Nothing of a lab may go on running, or costing money, after it: what a failed or interrupted cell left is ended."""

from typing import Any

from lab_utils.endpoints import delete_endpoint
from lab_utils.session import LabSession


def clean_up(lab: LabSession, name: str) -> list[str]:
    """Stop the training jobs and delete the endpoints, configurations and models called `lab.named(name)-...`.

    Returns:
        What was still there, as `kind name`; an empty list after a lab that went well.
    """
    client, start = lab.client("sagemaker"), f"{lab.named(name)}-"
    running = {"StatusEquals": "InProgress"}
    jobs = _names(client, "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", start, **running)
    for job in jobs:
        client.stop_training_job(TrainingJobName=job)
    endpoints = _names(client, "list_endpoints", "Endpoints", "EndpointName", start)
    for endpoint in endpoints:
        delete_endpoint(client, endpoint)
    configs = _names(client, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", start)
    for config in configs:
        client.delete_endpoint_config(EndpointConfigName=config)
    models = _names(client, "list_models", "Models", "ModelName", start)
    for model in models:
        client.delete_model(ModelName=model)
    kinds = {"training job": jobs, "endpoint": endpoints, "endpoint configuration": configs, "model": models}
    return [f"{kind} {found}" for kind, names in kinds.items() for found in names]


def _names(client: Any, operation: str, member: str, key: str, start: str, **options: str) -> list[str]:
    pages = client.get_paginator(operation).paginate(NameContains=start, **options)
    return [summary[key] for page in pages for summary in page[member] if summary[key].startswith(start)]
