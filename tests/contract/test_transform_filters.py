"""DataProcessing: filters and joins of batch transform."""

import json

import pytest

from contract.cloud import Cloud, error_of
from contract.transforms import Transforms

CSV = b'1,10,one\n2,20,"two, or so"\n'
OBJECTS = [{"id": 1, "features": {"a": [1, 2, 3], "b": 4}}, {"id": 2, "features": {"a": [5], "b": 6}}]
JSON_LINES = b"".join(json.dumps(value).encode() + b"\n" for value in OBJECTS)


@pytest.fixture(scope="module")
def transforms(cloud: Cloud) -> Transforms:
    return Transforms(cloud)


def processed(transforms: Transforms, data: bytes, content_type: str, processing: dict, model: str, **options) -> bytes:
    source = {"ContentType": content_type, "SplitType": "Line", **options.pop("source", {})}
    return transforms.output(
        {"x": data}, model, source=source, DataProcessing=processing, output=options.pop("output", {}), **options
    )


@pytest.mark.parametrize(
    ("processing", "expected"),
    [
        ({"InputFilter": "$[0,2]", "JoinSource": "Input"}, b'1,10,one,1,one\n2,20,"two, or so",2,"two, or so"\n'),
        ({"InputFilter": "$[1]", "JoinSource": "Input", "OutputFilter": "$[0,3:]"}, b"1,10\n2,20\n"),
        ({"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}, CSV),
    ],
)
def test_csv(transforms: Transforms, processing: dict, expected: bytes) -> None:
    """The program answers with what it was sent."""
    output = {"Accept": "text/csv", "AssembleWith": "Line"}
    answer = processed(transforms, CSV, "text/csv", processing, transforms.model(), output=output)
    assert answer == expected


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
def test_json_lines(transforms: Transforms, strategy: str) -> None:
    model, output = transforms.model(MODEL="scored"), {"AssembleWith": "Line"}
    processing = {"InputFilter": "$.features.a", "JoinSource": "Input", "OutputFilter": "$['SageMakerOutput','id']"}
    options = {"output": output, "BatchStrategy": strategy}
    answer = processed(transforms, JSON_LINES, "application/jsonlines", processing, model, **options)
    expected = [{"SageMakerOutput": {"score": 3}, "id": 1}, {"SageMakerOutput": {"score": 1}, "id": 2}]
    assert [json.loads(line) for line in answer.splitlines()] == expected


def test_a_json_document(transforms: Transforms) -> None:
    """Without SplitType a file of application/json is one value; what is no object is kept under SageMakerInput."""
    model = transforms.model(MODEL="scored")
    join = {"JoinSource": "Input"}
    answer = processed(transforms, b"[1, 2, 3]", "application/json", join, model, source={"SplitType": "None"})
    assert json.loads(answer) == {"SageMakerInput": [1, 2, 3], "SageMakerOutput": {"score": 3}}
    whole = {"InputFilter": "$.rows", "JoinSource": "Input", "OutputFilter": "$.SageMakerOutput"}
    data = b'{"rows": [4, 5]}'
    answer = processed(transforms, data, "application/json", whole, model, source={"SplitType": "None"})
    assert json.loads(answer) == {"score": 2}


@pytest.mark.parametrize(
    ("data", "options", "reason"),
    [
        (b"1,2\n", {"DataProcessing": {"InputFilter": "$[7]"}}, "the JSONPath $[7] selects nothing"),
        (b"1,2\n", {"DataProcessing": {"InputFilter": "$[0,7]"}}, "the JSONPath $[0,7] selects nothing, or less"),
        (b'1,"2\n', {"DataProcessing": {"InputFilter": "$[0]"}}, "as CSV"),
        (b"1\n", {"DataProcessing": {"JoinSource": "Input"}, "output": {"Accept": "application/json"}}, None),
        (b"1\n2\n", {"DataProcessing": {"JoinSource": "Input"}, "model": "constant"}, "mismatched line count"),
    ],
)
def test_records_that_cannot_be_processed(transforms: Transforms, data: bytes, options: dict, reason: str) -> None:
    """They fail their file; the others' outputs stay."""
    model = transforms.model(MODEL=options.pop("model", "echo"))
    if reason is None:
        request = transforms.request({}, model, source={"ContentType": "text/csv"}, **options)
        refused = error_of(transforms.cloud.sagemaker.create_transform_job, **request)
        assert "cannot bring ContentType text/csv and Accept application/json together" in refused[2]
        return
    objects = {"bad": data, "good": b"1,2,3,4,5,6,7,8\n"}
    job = transforms.run(objects, model, source={"ContentType": "text/csv", "SplitType": "Line"}, **options)
    assert job["FailureReason"].startswith("ClientError: See job logs")
    assert reason in job["FailureReason"]
    assert set(transforms.outputs(job)) == {"good.out"}


def test_an_answer_that_is_not_of_its_type(transforms: Transforms) -> None:
    model = transforms.model(ANSWERS="application/json")
    source = {"ContentType": "text/csv", "SplitType": "Line"}
    job = transforms.run({"x": b"a,b\n"}, model, source=source, DataProcessing={"OutputFilter": "$[0]"})
    assert "Failed to parse output from the algorithm as JSON" in job["FailureReason"]


@pytest.mark.parametrize(
    ("processing", "source", "message"),
    [
        ({"InputFilter": "$["}, {"ContentType": "text/csv"}, "'$[' is not a valid JSONPath"),
        ({"OutputFilter": "$..a"}, {"ContentType": "text/csv"}, "operator that batch transform does not support"),
        ({"OutputFilter": "$[?@.a > 1]"}, {"ContentType": "text/csv"}, "operator that batch transform"),
        ({"OutputFilter": "$.a | $.b"}, {"ContentType": "text/csv"}, "JSONPath"),
        ({"JoinSource": "Input"}, {"ContentType": "image/png"}, "needs the ContentType text/csv"),
        ({"JoinSource": "Input"}, {"ContentType": "text/csv", "SplitType": "RecordIO"}, "SplitType Line or None"),
    ],
)
def test_refusals(transforms: Transforms, processing: dict, source: dict, message: str) -> None:
    request = transforms.request({}, source=source, DataProcessing=processing)
    code, _, text = error_of(transforms.cloud.sagemaker.create_transform_job, **request)
    assert (code, message in text) == ("ValidationException", True), text
