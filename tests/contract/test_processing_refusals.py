"""What CreateProcessingJob refuses."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.cloud import Cloud, error_of
from contract.processors import OUTPUT, Processors, resources, s3_input


def with_input(**changes: Any) -> dict[str, Any]:
    return {"ProcessingInputs": [s3_input("s3://b/k", **changes)]}


ATHENA = {"Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b/k", "OutputFormat": "JSON"}
S3_OUTPUT = {"S3Uri": "s3://b/k", "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"AppSpecification": {"ImageUri": "nobody/unknown:1"}}, "ValidationException", "Cannot find the image"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "ValidationException", "Could not assume role"),
        (with_input(S3InputMode="Pipe"), "ValidationException", "S3InputMode Pipe"),
        (with_input(S3CompressionType="Gzip"), "ValidationException", "only for the S3InputMode Pipe"),
        (with_input(S3Uri="https://b/k"), "ValidationException", "is not an S3 URI"),
        (with_input(LocalPath="/tmp/data"), "ValidationException", "'/tmp/data', which is not below /opt/ml,"),
        (with_input(LocalPath="/opt/ml/../../etc"), "ValidationException", "which is not below /opt/ml,"),
        (
            {"ProcessingInputs": [s3_input("s3://b/k"), s3_input("s3://b/k")]},
            "ValidationException",
            "data is there twice",
        ),
        ({"ProcessingInputs": [{"InputName": "none"}]}, "ValidationException", "S3Input is required"),
        (
            {"ProcessingInputs": [{"InputName": "x", "DatasetDefinition": {"AthenaDatasetDefinition": ATHENA}}]},
            "ValidationException",
            "ProcessingInputs.DatasetDefinition is not emulated",
        ),
        (
            {
                "ProcessingOutputConfig": {
                    "Outputs": [{"OutputName": "f", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]
                }
            },
            "ValidationException",
            "FeatureStoreOutput is not emulated",
        ),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": S3_OUTPUT}] * 2}},
            "ValidationException",
            "o is there twice",
        ),
        ({"ProcessingResources": resources(5)}, "ResourceLimitExceeded", "Instances"),
        ({"ProcessingResources": resources(InstanceType="ml.bogus")}, "ValidationException", "instanceType"),
        ({"ProcessingResources": resources(InstanceType=None)}, "ValidationException", "InstanceType is required"),
        ({"NetworkConfig": {"EnableNetworkIsolation": True}}, "ValidationException", "EnableNetworkIsolation"),
        ({"ExperimentConfig": {"ExperimentName": "absent"}}, "ResourceNotFound", "absent does not exist"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 10**6}}, "ValidationException", "maxRuntimeInSeconds"),
    ],
)
def test_refusals(processors: Processors, cloud: Cloud, changes: dict[str, Any], code: str, words: str) -> None:
    request = processors.request(**changes)
    got, _, message = error_of(cloud.sagemaker.create_processing_job, **request)
    assert got == code
    assert words in message
    with pytest.raises(ClientError):
        cloud.sagemaker.describe_processing_job(ProcessingJobName=request["ProcessingJobName"])
