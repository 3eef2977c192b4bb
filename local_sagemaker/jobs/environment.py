"""A container's environment variables, built from nothing: the caller's own never reach a job."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.files import write_text
from local_sagemaker.images import Image
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.workspace import Connection

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def container(folder: ContainerFolder, image: Image, region: str) -> dict[str, str]:
    """What every container of ``image`` starts with."""
    return {
        "PATH": f"{image.interpreter.parent}:{_SYSTEM_PATH}",
        "HOME": str(folder.home),
        "TMPDIR": str(folder.tmp),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(image.pythonpath),
        "VIRTUAL_ENV": str(image.folder),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def base(folder: ContainerFolder) -> dict[str, str]:
    """What tells a program where its /opt/ml is; also the mark by which a workspace finds its processes."""
    return {"SAGEMAKER_BASE_DIR": str(folder.base)}


def write_aws_config(folder: ContainerFolder, connection: Connection) -> None:
    """Give the container the role's access to S3 and the rest: files in its home, so no log shows them."""
    settings = folder.home / ".aws"
    settings.mkdir(mode=0o700)
    profile = {
        "region": connection.region,
        "endpoint_url": connection.endpoint_url,
        "aws_access_key_id": connection.access_key_id,
        "aws_secret_access_key": connection.secret_access_key,
    }
    write_text(settings / "config", "[default]\n" + "".join(f"{k} = {v}\n" for k, v in profile.items()))


def training(
    folder: ContainerFolder, job: Mapping[str, Any], resources: Mapping[str, Any], inputs: Mapping[str, Any], cpus: int
) -> dict[str, str]:
    """The variables of the container contract and of the training toolkit for a training job's record."""
    hyperparameters = job.get("HyperParameters", {})
    values = {name: _decoded(value) for name, value in hyperparameters.items()}
    channels = sorted(inputs)
    environ = {
        **base(folder),
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        "SM_CHANNELS": json.dumps(channels),
        "SM_CURRENT_HOST": resources["current_host"],
        "SM_HOSTS": json.dumps(resources["hosts"]),
        "SM_HPS": json.dumps(values),
        "SM_INPUT_CONFIG_DIR": str(folder.config),
        "SM_INPUT_DATA_CONFIG": json.dumps(inputs),
        "SM_INPUT_DIR": str(folder.base / "input"),
        "SM_LOG_LEVEL": "20",
        "SM_MODEL_DIR": str(folder.model),
        "SM_NETWORK_INTERFACE_NAME": resources["network_interface_name"],
        "SM_NUM_CPUS": str(cpus),
        "SM_NUM_GPUS": str(len(list(Path("/dev").glob("nvidia[0-9]*")))),
        "SM_OUTPUT_DATA_DIR": str(folder.output_data),
        "SM_OUTPUT_DIR": str(folder.output),
        "SM_RESOURCE_CONFIG": json.dumps(resources),
        "SM_STUDIO_LOCAL_MODE": "True",  # the training toolkit then does not wait until the hosts' names resolve
        "SM_USER_ARGS": json.dumps([part for name in values for part in (f"--{name}", hyperparameters[name])]),
    }
    environ |= {f"SM_CHANNEL_{name.upper()}": str(folder.channel(name)) for name in channels}
    environ |= {f"SM_HP_{name.upper()}": value for name, value in hyperparameters.items()}
    environ["SM_TRAINING_ENV"] = json.dumps(_training_env(folder, job, resources, values, channels, inputs))
    return environ


def _training_env(
    folder: ContainerFolder,
    job: Mapping[str, Any],
    resources: Mapping[str, Any],
    values: Mapping[str, Any],
    channels: list[str],
    inputs: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "channel_input_dirs": {name: str(folder.channel(name)) for name in channels},
        "current_host": resources["current_host"],
        "hosts": resources["hosts"],
        "hyperparameters": values,
        "input_config_dir": str(folder.config),
        "input_data_config": inputs,
        "input_dir": str(folder.base / "input"),
        "job_name": job["TrainingJobName"],
        "model_dir": str(folder.model),
        "network_interface_name": resources["network_interface_name"],
        "output_data_dir": str(folder.output_data),
        "output_dir": str(folder.output),
        "resource_config": resources,
    }


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
