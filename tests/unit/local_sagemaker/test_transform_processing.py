"""The filters and joins of batch transform, without a job."""

import json

import pytest

from local_sagemaker.jobs.transform.processing import DataProcessing
from local_sagemaker.jobs.transform.records import RecordError, pack, split

CSV = b'1,10,one\n2,20,"two, or so"\n'
OBJECTS = [{"id": 1, "features": {"a": [1, 2, 3], "b": 4}}, {"id": 2, "features": {"a": [5], "b": 6}}]
SCORES = b'{"score":1}\n{"score":2}\n'


def job(settings: dict, content_type: str, split_type: str = "Line", accept: str | None = None) -> dict:
    output = {"Accept": accept} if accept else {}
    source = {"ContentType": content_type, "SplitType": split_type}
    return {"DataProcessing": settings, "TransformInput": source, "TransformOutput": output}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("$[1:]", b'10,one\n20,"two, or so"\n'),
        ("$[0]", b"1\n2\n"),
        ("$[-1]", b'one\n"two, or so"\n'),
        ("$[0,2]", b'1,one\n2,"two, or so"\n'),
        ("$[0,1:]", CSV),
        ("$.*", CSV),
    ],
)
def test_input_filters_of_rows(text: str, sent: bytes) -> None:
    processing = DataProcessing(job({"InputFilter": text}, "text/csv; charset=utf-8"))
    assert b"".join(processing.prepare(line).payload for line in CSV.splitlines(keepends=True)) == sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("$.features", {"a": [1, 2, 3], "b": 4}),
        ("$.features.a", [1, 2, 3]),
        ("$['features']['a'][0:2]", [1, 2]),
        ("$.features.a[-1]", 3),
        ("$.features.a[0,2]", [1, 3]),
        ("$['id','features']", OBJECTS[0]),
        ("$.features.['b','a']", {"b": 4, "a": [1, 2, 3]}),
        ("$.features.*", [[1, 2, 3], 4]),
    ],
)
@pytest.mark.parametrize("content_type", ["application/jsonlines", "application/json"])
@pytest.mark.parametrize("split_type", ["Line", "None"])
def test_input_filters_of_objects(text: str, sent: object, content_type: str, split_type: str) -> None:
    processing = DataProcessing(job({"InputFilter": text}, content_type, split_type))
    assert json.loads(processing.prepare(json.dumps(OBJECTS[0]).encode()).payload) == sent


@pytest.mark.parametrize(
    ("settings", "output"),
    [
        ({"JoinSource": "Input"}, b'1,10,one,a\n2,20,"two, or so",b\n'),
        ({"JoinSource": "Input", "OutputFilter": "$[0,-1]"}, b"1,a\n2,b\n"),
        ({"InputFilter": "$[1]", "JoinSource": "Input", "OutputFilter": "$[3:]"}, b"a\nb\n"),
        ({"OutputFilter": "$[0]"}, b"a\nb\n"),
    ],
)
def test_joined_rows(settings: dict, output: bytes) -> None:
    processing = DataProcessing(job(settings, "text/csv"))
    items = [processing.prepare(line) for line in CSV.splitlines(keepends=True)]
    assert processing.finish(items, b"a\nb\n", None) == output


@pytest.mark.parametrize(
    ("settings", "output"),
    [
        ({"JoinSource": "Input"}, [{**value, "SageMakerOutput": {"score": n}} for n, value in enumerate(OBJECTS, 1)]),
        ({"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
         [{"id": 1, "SageMakerOutput": {"score": 1}}, {"id": 2, "SageMakerOutput": {"score": 2}}]),
        ({"JoinSource": "Input", "OutputFilter": "$.SageMakerOutput.score"}, [1, 2]),
        ({"OutputFilter": "$.score"}, [1, 2]),
    ],
)  # fmt: skip
def test_joined_objects(settings: dict, output: list) -> None:
    processing = DataProcessing(job(settings, "application/jsonlines"))
    items = [processing.prepare(json.dumps(value).encode()) for value in OBJECTS]
    answer = processing.finish(items, SCORES, "application/jsonlines")
    assert [json.loads(line) for line in answer.splitlines()] == output


def test_what_is_no_object_is_put_into_one() -> None:
    processing = DataProcessing(job({"JoinSource": "Input"}, "application/json", "None"))
    answer = processing.finish([processing.prepare(b"[1, 2]")], b"[3]", "application/json")
    assert json.loads(answer) == {"SageMakerInput": [1, 2], "SageMakerOutput": [3]}


@pytest.mark.parametrize("text", ["$[7]", "$[0,7]", "$.name"])
def test_what_is_not_there_is_an_error(text: str) -> None:
    processing = DataProcessing(job({"InputFilter": text}, "text/csv"))
    with pytest.raises(RecordError, match="selects nothing"):
        processing.prepare(b"1,2\n")


def test_no_filter_is_no_processing() -> None:
    settings = {"InputFilter": "$", "OutputFilter": "", "JoinSource": "None"}
    assert not DataProcessing(job(settings, "image/png")).active


def test_a_quoted_line_break_needs_the_whole_file() -> None:
    data = b'1,"a\nb"\n2,c\n'
    whole = DataProcessing(job({"InputFilter": "$[1]"}, "text/csv", "None"))
    assert whole.prepare(data).payload == b'"a\nb"\nc\n'
    with pytest.raises(RecordError, match="as CSV"):
        DataProcessing(job({"InputFilter": "$[1]"}, "text/csv")).prepare(b'1,"a\n')


def test_recordio_of_several_parts(tmp_path) -> None:
    from local_sagemaker.jobs.inputs.recordio import framed

    data = b"".join(framed([b"abcdefghij"], 10, 4)) + b"".join(framed([b"xy"], 2))
    path = tmp_path / "x.rec"
    path.write_bytes(data)
    records = list(split(path, "RecordIO"))
    assert len(records) == 2
    assert b"".join(records) == data
    for broken, reason in ((data[:-3], "ends after"), (data[:13], "header"), (data[:12], "no last part")):
        path.write_bytes(broken)
        with pytest.raises(RecordError, match=reason):
            list(split(path, "RecordIO"))


def test_packing() -> None:
    records = [b"aa", b"bb", b"c", b"dddd"]
    assert list(pack(records, len, 4, several=True)) == [[b"aa", b"bb"], [b"c"], [b"dddd"]]
    assert list(pack(records, len, 0, several=True)) == [records]
    assert list(pack(records, len, 4, several=False)) == [[record] for record in records]
    with pytest.raises(RecordError, match="Too much data for max payload size"):
        list(pack([b"12345"], len, 4, several=True))
