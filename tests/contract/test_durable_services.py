"""What the services beside SageMaker keep over a kill: logs, metrics, roles, repositories, buckets' settings."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract.cloud import LOG_GROUP, Cloud, error_of
from contract.test_lifecycle import kill

pytestmark = pytest.mark.http
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::settings/*"}
        ],
    }
)
NOW = datetime.now(UTC)


def settings_of(cloud: Cloud) -> tuple[dict, str]:
    encryption = cloud.s3.get_bucket_encryption(Bucket="settings")["ServerSideEncryptionConfiguration"]
    return encryption, cloud.s3.get_bucket_policy(Bucket="settings")["Policy"]


def loss_of(cloud: Cloud, connect: Callable[..., BaseClient], job: str) -> list[float]:
    metric = {
        "Namespace": LOG_GROUP,
        "MetricName": "train:loss",
        "Dimensions": [{"Name": "TrainingJobName", "Value": job}],
    }
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Minimum"}}
    period = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(hours=1)}
    answer = connect(cloud.connection, "cloudwatch").get_metric_data(MetricDataQueries=[query], **period)
    return answer["MetricDataResults"][0]["Values"]


def test_services_after_a_kill(fresh_workspace: Path, images: Path, connect: Callable[..., BaseClient]) -> None:
    before = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    iam, ecr = (connect(before.connection, name) for name in ("iam", "ecr"))
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="gone", AssumeRolePolicyDocument=TRUST)
    iam.delete_role(RoleName="gone")
    error_of(iam.create_role, RoleName="mine", AssumeRolePolicyDocument=TRUST)
    ecr.create_repository(repositoryName="mine")
    before.s3.put_bucket_tagging(Bucket=before.bucket, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    before.s3.create_bucket(Bucket="settings")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    before.s3.put_bucket_encryption(Bucket="settings", ServerSideEncryptionConfiguration={"Rules": [rule]})
    before.s3.put_bucket_policy(Bucket="settings", Policy=POLICY)
    settings = settings_of(before)
    jobs = [before.run({"lines": 3})["TrainingJobName"] for _ in range(2)]
    lines = before.log(jobs[0])
    losses = loss_of(before, connect, jobs[0])
    assert len(losses) == 1
    before.logs.create_log_group(logGroupName="/own")
    before.logs.create_log_stream(logGroupName="/own", logStreamName="a/b")
    event = {"timestamp": int(NOW.timestamp() * 1000), "message": "ünï"}
    before.logs.put_log_events(logGroupName="/own", logStreamName="a/b", logEvents=[event])
    before.logs.create_log_group(logGroupName="/deleted")
    before.logs.delete_log_group(logGroupName="/deleted")

    kill(before.connection.pid)
    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert after.log(jobs[0]) == lines
    assert loss_of(after, connect, jobs[0]) == losses
    listed = connect(after.connection, "cloudwatch").list_metrics(Namespace=LOG_GROUP, MetricName="train:loss")
    assert {m["Dimensions"][0]["Value"] for m in listed["Metrics"]} == set(jobs)
    groups = [group["logGroupName"] for group in after.logs.describe_log_groups()["logGroups"]]
    assert groups == [LOG_GROUP, "/own"]
    assert after.logs.filter_log_events(logGroupName="/own")["events"][0]["message"] == "ünï"
    streams = after.logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{jobs[1]}/")["logStreams"]
    assert len(streams) == 1
    assert streams[0]["firstEventTimestamp"] <= streams[0]["lastEventTimestamp"]

    roles = {role["RoleName"] for role in connect(after.connection, "iam").list_roles()["Roles"]}
    assert roles >= {"mine", "SageMakerExecutionRole"}
    assert "gone" not in roles
    repositories = connect(after.connection, "ecr").describe_repositories()["repositories"]
    assert [repository["repositoryName"] for repository in repositories] == ["mine"]
    assert after.s3.get_bucket_tagging(Bucket=after.bucket)["TagSet"] == [{"Key": "k", "Value": "v"}]
    assert settings_of(after) == settings
    arn = after.connection.role_arn.replace("SageMakerExecutionRole", "mine")
    assert after.run({}, RoleArn=arn)["TrainingJobStatus"] == "Completed"
