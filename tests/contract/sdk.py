"""What the tests with the SageMaker SDK v3 share; imported within functions, as the SDK takes seconds to import."""

from typing import Any

import boto3

from contract.cloud import Cloud, unique


def plain_session(cloud: Cloud) -> Any:
    """The SDK's session with the server."""
    from sagemaker.core.helper.session_helper import Session

    return Session(boto_session=boto3.Session(region_name=cloud.connection.region), default_bucket=cloud.bucket)


def model_trainer(cloud: Cloud, session: Any, **options: Any) -> Any:
    """A ModelTrainer of the tiny image."""
    from sagemaker.core.training.configs import Compute, OutputDataConfig, StoppingCondition
    from sagemaker.train import ModelTrainer

    return ModelTrainer(
        role=cloud.connection.role_arn,
        sagemaker_session=session,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=120),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{cloud.bucket}/sdk"),
        **{"training_image": "registry/tiny:1", "base_job_name": unique("sdk"), **options},
    )
