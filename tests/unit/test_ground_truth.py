"""The labelling job's request: complete, valid by the service's model, and never sent by accident."""

import boto3
import pytest

from lab_utils import ground_truth
from lab_utils.errors import ConfigError
from lab_utils.session import LabSession

TEAM = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/rail"


def lab(region: str = "eu-west-1") -> LabSession:
    boto_session = boto3.Session(region_name=region, aws_access_key_id="x", aws_secret_access_key="y")
    return LabSession("local", boto_session, "arn:aws:iam::111122223333:role/labs", "bucket", "labs", region)


def request(session: LabSession, **changes) -> dict:
    arguments = {
        "name": "rail-1",
        "manifest_uri": "s3://bucket/in.manifest",
        "classes": ["A", "B"],
        "workteam_arn": TEAM,
    }
    return ground_truth.labeling_job_request(session, **{**arguments, **changes})


def test_request_names_the_built_in_functions_of_the_region():
    task = request(lab())["HumanTaskConfig"]
    assert task["PreHumanTaskLambdaArn"] == "arn:aws:lambda:eu-west-1:568282634449:function:PRE-BoundingBox"
    assert task["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"].endswith(":ACS-BoundingBox")


def test_request_is_validated_by_the_services_model():
    with pytest.raises(ConfigError, match=r"CreateLabelingJob.*NumberOfHumanWorkersPerDataObject"):
        request(lab(), workers=0)


def test_region_without_ground_truth():
    with pytest.raises(ConfigError, match="no Ground Truth in eu-north-1"):
        request(lab("eu-north-1"))


def test_long_class_lists_fit_the_description():
    classes = [f"a class with a long name {i}" for i in range(50)]
    assert len(request(lab(), classes=classes)["HumanTaskConfig"]["TaskDescription"]) == 255


def test_nothing_is_submitted_locally():
    session = lab()
    assert ground_truth.submit(session, request(session), ["A", "B"]) is None
