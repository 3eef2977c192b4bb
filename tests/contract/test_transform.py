"""Batch transform: files, records, payloads, answers."""

import gzip
import json
import struct

import pytest

from contract.cloud import Cloud, error_of, unique, until
from contract.transforms import Transforms

LINES = b"1,one\n22,two\n333,three"


@pytest.fixture(scope="module")
def transforms(cloud: Cloud) -> Transforms:
    return Transforms(cloud)


def test_files_as_they_are(transforms: Transforms) -> None:
    """Every object under the prefix is one request; its output keeps the key's folders and gains .out."""
    objects = {"a.bin": b"\x00\xff", "deep/er/b.txt": b"text", "empty": b"", "marker/": b""}
    job = transforms.run(objects, source={"ContentType": "text/x"}, Environment={"ANSWERS": "text/y"})
    assert job["TransformJobStatus"] == "Completed", job
    outputs = transforms.outputs(job)
    assert outputs == {"a.bin.out": b"\x00\xff", "deep/er/b.txt.out": b"text", "empty.out": b""}
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    assert job["TransformInput"]["SplitType"] == job["TransformOutput"]["AssembleWith"] == "None"


def test_what_the_program_sees(transforms: Transforms) -> None:
    headers = json.loads(
        transforms.output({"x": b"headers"}, source={"ContentType": "image/png"}, output={"Accept": "text/csv"})
    )
    assert (headers["Content-Type"], headers["Accept"]) == ("image/png", "text/csv")
    seen = json.loads(transforms.output({"x": b"model"}, Environment={"OWN": "/opt/ml/model"}, MaxPayloadInMB=3))
    environ = seen["environ"]
    assert environ["OWN"] == environ["SM_MODEL_DIR"]
    assert (environ["SAGEMAKER_BATCH"], environ["SAGEMAKER_MAX_PAYLOAD_IN_MB"]) == ("true", "3")
    assert "CALLER_SECRET" not in environ


def test_lines_together(transforms: Transforms) -> None:
    answers = transforms.output({"x.csv": LINES}, transforms.model(MODEL="numbered"), source={"SplitType": "Line"})
    assert answers == b"5\n6\n9\n"


@pytest.mark.parametrize(("assemble", "answer"), [("None", b"0.50.50.5"), ("Line", b"0.5\n0.5\n0.5\n")])
def test_lines_one_by_one(transforms: Transforms, assemble: str, answer: bytes) -> None:
    job = {"BatchStrategy": "SingleRecord", "source": {"SplitType": "Line"}, "output": {"AssembleWith": assemble}}
    assert transforms.output({"x": LINES}, transforms.model(MODEL="constant"), **job) == answer


def test_many_lines_are_several_payloads(transforms: Transforms) -> None:
    """As many records as fit into MaxPayloadInMB go together, in order."""
    line = b"x" * 99_999 + b"\n"
    options = {"source": {"SplitType": "Line"}, "output": {"AssembleWith": "Line"}}
    answer = transforms.output({"x": line * 25}, transforms.model(MODEL="constant"), MaxPayloadInMB=1, **options)
    assert answer == b"0.5\n" * 3
    echoed = transforms.output({"x": line * 25}, MaxPayloadInMB=1, MaxConcurrentTransforms=4, **options)
    assert echoed == line * 25


def recordio(*records: bytes) -> bytes:
    return b"".join(struct.pack("<II", 0xCED7230A, len(data)) + data + bytes(-len(data) % 4) for data in records)


def test_recordio(transforms: Transforms) -> None:
    records = [b"first", b"second!!", b""]
    answers = transforms.output(
        {"x.rec": recordio(*records)},
        transforms.model(MODEL="constant"),
        source={"SplitType": "RecordIO"},
        output={"AssembleWith": "Line"},
        BatchStrategy="SingleRecord",
    )
    assert answers == b"0.5\n" * 3
    assert transforms.output({"x.rec": recordio(*records)}, source={"SplitType": "RecordIO"}) == recordio(*records)


def test_gzip(transforms: Transforms) -> None:
    job = transforms.run({"x.csv.gz": gzip.compress(LINES)}, source={"CompressionType": "Gzip", "SplitType": "Line"})
    assert transforms.outputs(job) == {"x.csv.gz.out": LINES}


def test_manifest(transforms: Transforms, cloud: Cloud) -> None:
    folder = unique("manifest")
    for name in ("a", "deep/b", "c"):
        cloud.put(f"{folder}/{name}", name.encode())
    listed = [{"prefix": f"s3://{cloud.bucket}/{folder}/"}, "a", "deep/b"]
    uri = cloud.put(f"{folder}.manifest", json.dumps(listed).encode())
    source = {"DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": uri}}}
    assert transforms.outputs(transforms.run({}, source=source)) == {"a.out": b"a", "deep/b.out": b"deep/b"}


def test_a_key_and_a_prefix_of_keys(transforms: Transforms, cloud: Cloud) -> None:
    names = {"images/a.txt.out", "images/b.txt.out"}
    for end, expected in (("images/a.txt", {"a.txt.out"}), ("images", {"a.txt.out", "b.txt.out"}), ("im", names)):
        request = transforms.request({"images/a.txt": b"a", "images/b.txt": b"b"})
        request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] += end
        cloud.sagemaker.create_transform_job(**request)
        job = transforms.wait(request["TransformJobName"])
        assert set(transforms.outputs(job)) == expected, job


def test_concurrency(transforms: Transforms) -> None:
    """One at a time, or as the request, or as the program's /execution-parameters say."""
    objects = {f"{number}": b"sleep 0.15" for number in range(6)}
    objects["z"] = b"most"
    offer = json.dumps({"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2})
    for environ, asked, expected in (({}, {}, b"1"), ({}, {"MaxConcurrentTransforms": 4}, b"4"), (offer, {}, b"3")):
        environ = {"EXECUTION_PARAMETERS": environ} if environ else {}
        job = transforms.run(objects, transforms.model(**environ), **asked)
        assert transforms.outputs(job)["z.out"] == expected
    assert "MaxConcurrentTransforms=3, MaxPayloadInMB=2, BatchStrategy=SINGLE_RECORD" in transforms.log(
        job["TransformJobName"]
    )


def test_one_bad_record_fails_its_file_and_the_job(transforms: Transforms) -> None:
    objects = {"a": b"good\n", "b": b"good\nREFUSED\ngood\n", "c": b"good\n"}
    options = {"source": {"SplitType": "Line"}, "BatchStrategy": "SingleRecord"}
    job = transforms.run(objects, transforms.model(REFUSE="REFUSED"), **options)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: See job logs for more information")
    assert "/in/b: ClientError: 400: bad input" in job["FailureReason"]
    assert transforms.outputs(job) == {"a.out": b"good\n", "c.out": b"good\n"}
    assert f"{job['TransformJobName']}/in/b: bad input" in transforms.log(job["TransformJobName"])


def test_retries(transforms: Transforms) -> None:
    """Answers 5xx are tried again, as often as the request says."""
    model = transforms.model(FAIL_FIRST="2")
    assert transforms.output({"x": b"x"}, model, ModelClientConfig={"InvocationsMaxRetries": 2}) == b"x"
    job = transforms.run({"x": b"x"}, model, ModelClientConfig={"InvocationsMaxRetries": 1})
    assert job["FailureReason"].startswith("AlgorithmError: See job logs")
    assert "Bad HTTP status received from algorithm: 500: broken model" in job["FailureReason"]


def test_a_slow_answer(transforms: Transforms) -> None:
    config = {"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 1}
    job = transforms.run({"x": b"sleep 5", "y": b"y"}, ModelClientConfig=config)
    assert "No answer from algorithm in 1 seconds" in job["FailureReason"]
    assert transforms.outputs(job) == {"y.out": b"y"}


def test_a_program_that_dies(transforms: Transforms) -> None:
    job = transforms.run({"x": b"crash", "y": b"y"}, ModelClientConfig={"InvocationsMaxRetries": 0})
    assert "Unable to get response from algorithm" in job["FailureReason"]
    assert transforms.outputs(job) == {"y.out": b"y"}


@pytest.mark.parametrize(
    ("objects", "options", "reason"),
    [
        ({"x": bytes(1_048_577)}, {"MaxPayloadInMB": 1}, "Too much data for max payload size"),
        ({"x": b"no"}, {"source": {"CompressionType": "Gzip"}}, "the object is not gzip"),
        ({"x": b"no record"}, {"source": {"SplitType": "RecordIO"}}, "not the header of a RecordIO record"),
        ({}, {}, "No S3 objects found under S3 URL"),
        ({"x": b""}, {"output": {"S3OutputPath": "s3://no-such-bucket/x"}}, "'no-such-bucket' does not exist"),
    ],
)
def test_failing_jobs(transforms: Transforms, objects: dict, options: dict, reason: str) -> None:
    job = transforms.run(objects, **options)
    assert (job["TransformJobStatus"], reason in job["FailureReason"]) == ("Failed", True), job
    assert job["FailureReason"].startswith("ClientError: ")
    assert transforms.outputs(job) == {}


def test_no_limit_of_the_payload(transforms: Transforms) -> None:
    data = bytes(8 * 1024 * 1024)
    assert transforms.output({"x": data}, MaxPayloadInMB=0) == data


@pytest.mark.parametrize(
    ("environ", "reason"),
    [({"EXIT": "1"}, "AlgorithmError: The primary container for transform job"), ({"UNHEALTHY": "1"}, None)],
)
def test_programs_that_do_not_serve(transforms: Transforms, cloud: Cloud, environ: dict, reason: str | None) -> None:
    name = transforms.start({"x": b"x"}, transforms.model(**environ))
    if reason is None:
        cloud.sagemaker.stop_transform_job(TransformJobName=name)
        assert transforms.wait(name)["TransformJobStatus"] == "Stopped"
    else:
        assert transforms.wait(name)["FailureReason"].startswith(reason)


def test_stop(transforms: Transforms, cloud: Cloud) -> None:
    name = transforms.start({"a": b"a", "b": b"sleep 60", "c": b"c"})
    until(lambda: "a.out" in transforms.outputs({"TransformJobName": name}))
    cloud.sagemaker.stop_transform_job(TransformJobName=name)
    job = transforms.wait(name)
    assert (job["TransformJobStatus"], "FailureReason" in job) == ("Stopped", False)
    assert set(transforms.outputs(job)) == {"a.out"}
    code, _, text = error_of(cloud.sagemaker.stop_transform_job, TransformJobName=name)
    assert (code, "in status Stopped" in text) == ("ValidationException", True)


def test_list(transforms: Transforms, cloud: Cloud) -> None:
    done = transforms.run({"x": b"x"})["TransformJobName"]
    failed = transforms.run({})["TransformJobName"]
    listed = cloud.sagemaker.list_transform_jobs(StatusEquals="Failed", MaxResults=100)["TransformJobSummaries"]
    names = {job["TransformJobName"] for job in listed}
    assert failed in names
    assert done not in names
    (found,) = cloud.sagemaker.list_transform_jobs(NameContains=failed)["TransformJobSummaries"]
    assert "No S3 objects found" in found["FailureReason"]
    page = cloud.sagemaker.list_transform_jobs(MaxResults=1, SortBy="CreationTime", SortOrder="Descending")
    assert page["TransformJobSummaries"][0]["TransformJobName"] == failed
    assert "NextToken" in page


def test_tags(transforms: Transforms, cloud: Cloud) -> None:
    job = transforms.run({"x": b"x"}, Tags=[{"Key": "k", "Value": "v"}])
    assert cloud.sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"] == [{"Key": "k", "Value": "v"}]


def test_a_job_in_a_trial(transforms: Transforms, cloud: Cloud) -> None:
    name = unique("trial")
    cloud.sagemaker.create_experiment(ExperimentName=name)
    cloud.sagemaker.create_trial(ExperimentName=name, TrialName=name)
    job = transforms.run({"x": b"x"}, ExperimentConfig={"TrialName": name})
    (component,) = cloud.sagemaker.list_trial_components(TrialName=name)["TrialComponentSummaries"]
    assert component["TrialComponentSource"]["SourceArn"] == job["TransformJobArn"]
    assert component["Status"]["PrimaryStatus"] == "Completed"


S3 = {"DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/x"}}}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"ModelName": "nowhere"}, "ValidationException", 'Could not find model "arn:aws:sagemaker:'),
        ({"MaxPayloadInMB": 101}, "ValidationException", "100 MB"),
        ({"MaxPayloadInMB": 26, "MaxConcurrentTransforms": 4}, "ValidationException", "100 MB"),
        ({"source": {"SplitType": "TFRecord"}}, "ValidationException", "SplitType TFRecord"),
        ({"source": S3}, "ValidationException", "S3DataType AugmentedManifestFile"),
        ({"output": {"KmsKeyId": "key"}}, "ValidationException", "TransformOutput.KmsKeyId"),
        ({"output": {"S3OutputPath": "https://b/x"}}, "ValidationException", "TransformOutput.S3OutputPath"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/x"}}, "ValidationException", "DataCaptureConfig"),
        ({"ExperimentConfig": {"TrialName": "none-such"}}, "ResourceNotFound", "none-such"),
        (
            {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 5}},
            "ResourceLimitExceeded",
            "ml.m5.large for transform job usage",
        ),
        (
            {"TransformResources": {"InstanceType": "ml.t2.medium", "InstanceCount": 1}},
            "ValidationException",
            "enum value set",
        ),
    ],
)
def test_refusals(transforms: Transforms, cloud: Cloud, changes: dict, code: str, message: str) -> None:
    refused = error_of(cloud.sagemaker.create_transform_job, **transforms.request({}, **changes))
    assert (refused[0], message in refused[2]) == (code, True), refused


def test_duplicate_and_unknown_names(transforms: Transforms, cloud: Cloud) -> None:
    request = transforms.request({"x": b"x"})
    cloud.sagemaker.create_transform_job(**request)
    code, status, text = error_of(cloud.sagemaker.create_transform_job, **request)
    assert (code, status) == ("ResourceInUse", 400)
    assert "a job with this name already exists" in text
    for call in (cloud.sagemaker.describe_transform_job, cloud.sagemaker.stop_transform_job):
        code, _, text = error_of(call, TransformJobName="nowhere")
        assert (code, text) == ("ValidationException", "Could not find requested job with name: nowhere")
    transforms.wait(request["TransformJobName"])
