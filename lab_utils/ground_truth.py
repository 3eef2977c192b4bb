"""A SageMaker Ground Truth bounding-box labelling job: request built and validated here, submitted on AWS only.

Ground Truth takes no new customers any more; accounts that use it can go on.
"""

import json
from collections.abc import Sequence
from typing import Any

from lab_utils import s3
from lab_utils.errors import ConfigError
from lab_utils.session import LabSession

# AWS's own accounts with the built-in task functions, from the CreateLabelingJob reference.
_FUNCTION_ACCOUNTS = {
    "ap-northeast-1": "477331159723",
    "ap-northeast-2": "845288260483",
    "ap-south-1": "565803892007",
    "ap-southeast-1": "377565633583",
    "ap-southeast-2": "454466003867",
    "ca-central-1": "918755190332",
    "eu-central-1": "203001061592",
    "eu-west-1": "568282634449",
    "eu-west-2": "487402164563",
    "us-east-1": "432418664414",
    "us-east-2": "266458841044",
    "us-west-2": "081040173940",
}

_TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
      header="Draw a box around each railway signal's chassis" labels="{{ task.input.labels | to_json | escape }}">
    <full-instructions header="Signals">
      <p>Box the whole plate, not the single lamps. Box every signal, however far. Leave out signs and lamps.</p>
    </full-instructions>
    <short-instructions>Box the whole plate, tightly.</short-instructions>
  </crowd-bounding-box>
</crowd-form>
"""


def labeling_job_request(
    lab: LabSession,
    *,
    name: str,
    manifest_uri: str,
    classes: Sequence[str],
    workteam_arn: str,
    attribute: str = "signals",
    workers: int = 1,
) -> dict[str, Any]:
    """The CreateLabelingJob request for boxes, validated against the service's model.

    Args:
        lab: the session.
        name: name of the labelling job.
        manifest_uri: S3 URI of the input manifest (a `source-ref` a line).
        classes: label categories, in the order of their class ids.
        workteam_arn: ARN of the private, vendor or public work team.
        attribute: label attribute of the output manifest.
        workers: workers that label each image.

    Raises:
        ConfigError: a region without Ground Truth, or a field that the service would refuse.
    """
    if lab.region not in _FUNCTION_ACCOUNTS:
        raise ConfigError(f"no Ground Truth in {lab.region}: expected one of {', '.join(_FUNCTION_ACCOUNTS)}")
    functions = f"arn:aws:lambda:{lab.region}:{_FUNCTION_ACCOUNTS[lab.region]}:function"
    request = {
        "LabelingJobName": name,
        "LabelAttributeName": attribute,
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest_uri}}},
        "OutputConfig": {"S3OutputPath": lab.uri("labeling")},
        "RoleArn": lab.role,
        "LabelCategoryConfigS3Uri": lab.uri("labeling", name, "labels.json"),
        "StoppingConditions": {"MaxPercentageOfInputDatasetLabeled": 100},
        "HumanTaskConfig": {
            "WorkteamArn": workteam_arn,
            "UiConfig": {"UiTemplateS3Uri": lab.uri("labeling", name, "template.liquid")},
            "PreHumanTaskLambdaArn": f"{functions}:PRE-BoundingBox",
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{functions}:ACS-BoundingBox"},
            "TaskTitle": "Draw boxes around railway signals",
            "TaskDescription": f"Draw a tight box around every {', '.join(classes)}"[:255],
            "TaskKeywords": ["railway", "signal", "bounding box"],
            "NumberOfHumanWorkersPerDataObject": workers,
            "TaskTimeLimitInSeconds": 600,
            "TaskAvailabilityLifetimeInSeconds": 10 * 24 * 3600,
            "MaxConcurrentTaskCount": 100,
        },
    }
    _validate(lab, request)
    return request


def submit(lab: LabSession, request: dict[str, Any], classes: Sequence[str]) -> str | None:
    """Upload template and categories and create the labelling job; does nothing but on AWS, where people are paid.

    Returns:
        The job's ARN, or None on the embedded SageMaker, which has no workers.
    """
    if lab.backend != "aws":
        return None
    labels = {"document-version": "2018-11-28", "labels": [{"label": c} for c in classes]}
    for uri, body in (
        (request["LabelCategoryConfigS3Uri"], json.dumps(labels)),
        (request["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"], _TEMPLATE),
    ):
        bucket, key = s3.parse(uri)
        lab.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    return lab.client("sagemaker").create_labeling_job(**request)["LabelingJobArn"]


def _validate(lab: LabSession, request: dict[str, Any]) -> None:
    from botocore.validate import ParamValidator

    shape = lab.client("sagemaker").meta.service_model.operation_model("CreateLabelingJob").input_shape
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ConfigError(f"CreateLabelingJob: {report.generate_report()}")
