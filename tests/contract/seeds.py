"""A right request for every Create operation, all resources of one name."""

import json
from typing import Any

from contract import tuning
from contract.cloud import Cloud, variant
from contract.processors import Processors, s3_input


def seeds(cloud: Cloud, name: str) -> dict[str, dict[str, Any]]:
    """Requests by operation, in an order in which they can be sent."""
    role, data = cloud.connection.role_arn, cloud.put("fuzz/a.txt")
    prefix, out = data.removesuffix("a.txt"), f"s3://{cloud.bucket}/fuzz-out"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": prefix}}
    container = {"Image": "tiny", "Environment": {"A": "1"}}
    job = cloud.job_request(TrainingJobName=name)
    channel = {"ChannelName": "training", "DataSource": source, "ContentType": "text/csv"}
    serving = {"Containers": [container], "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["a/b"]}
    tuned = tuning.request(cloud, ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1})
    fail = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}
    return {
        "CreateTrainingJob": {
            **job,
            "InputDataConfig": [channel],
            "CheckpointConfig": {"S3Uri": out, "LocalPath": "/opt/ml/checkpoints"},
            "Environment": {"A": "1"},
            "Tags": [{"Key": "k", "Value": "v"}],
        },
        "CreateModel": {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": role},
        "CreateEndpointConfig": {"EndpointConfigName": name, "ProductionVariants": [variant(name)]},
        "CreateEndpoint": {"EndpointName": name, "EndpointConfigName": name},
        "CreateHyperParameterTuningJob": {**tuned, "HyperParameterTuningJobName": name},
        "CreateTransformJob": {
            "TransformJobName": name,
            "ModelName": name,
            "TransformInput": {"DataSource": source, "SplitType": "Line", "ContentType": "text/csv"},
            "TransformOutput": {"S3OutputPath": out, "AssembleWith": "Line"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
        "CreateProcessingJob": {
            "ProcessingJobName": name,
            "ProcessingInputs": [s3_input(prefix)],
            "ProcessingOutputConfig": {"Outputs": [Processors(cloud).output(name)]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            "AppSpecification": {"ImageUri": "tiny", "ContainerArguments": ["a"]},
            "RoleArn": role,
        },
        "CreatePipeline": {
            "PipelineName": name,
            "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": [fail]}),
            "RoleArn": role,
            "ClientRequestToken": "t" * 32,
        },
        "StartPipelineExecution": {"PipelineName": name, "ClientRequestToken": "t" * 32},
        "CreateModelPackageGroup": {"ModelPackageGroupName": name},
        "CreateModelPackage": {"ModelPackageGroupName": name, "InferenceSpecification": serving},
        "CreateExperiment": {"ExperimentName": name},
        "CreateTrial": {"TrialName": name, "ExperimentName": name},
        "CreateTrialComponent": {"TrialComponentName": name, "Parameters": {"rate": {"NumberValue": 0.1}}},
    }
