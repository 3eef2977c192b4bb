"""Channels: prefixes and manifests, files and pipes, shares of hosts; what is wrong with one fails the job."""

import gzip
import json
import struct

import pytest

from contract.cloud import Cloud, unique
from local_sagemaker.jobs.inputs.recordio import MAGIC


def source(uri: str, data_type: str = "S3Prefix", **members: object) -> dict:
    """An InputDataConfig's one channel, "train"; ``source`` members of its S3 data source, others of the channel."""
    changes = members.pop("source", {})
    data = {"S3DataType": data_type, "S3Uri": uri, **changes}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": data}, **members}


def run(cloud: Cloud, channel: dict, mode: str = "File", hyperparameters: dict | None = None) -> dict:
    specification = {"TrainingImage": "tiny", "TrainingInputMode": mode}
    return cloud.run(hyperparameters, AlgorithmSpecification=specification, InputDataConfig=[channel])


def files(cloud: Cloud, job: dict) -> dict[str, str]:
    """What the job found below input/data."""
    found = cloud.report(job)["input"]
    return {path.removeprefix("data/train/"): text for path, text in found.items() if path.startswith("data/")}


def read_pipes(cloud: Cloud, channel: dict, epochs: int = 1, **limit: int) -> list[bytes]:
    """What a program reads from so many epochs' pipes, one after the other; ``limit`` may be the ``bytes`` of each."""
    job = run(cloud, channel, "Pipe", {"epochs": epochs, **limit})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return [bytes.fromhex(epoch) for epoch in cloud.report(job)["epochs"]]


def record(data: bytes) -> bytes:
    """A RecordIO record, told from the format's description."""
    return struct.pack("<II", MAGIC, len(data)) + data + bytes(-len(data) % 4)


@pytest.fixture(scope="module")
def prefix(cloud: Cloud) -> str:
    """Three objects under one prefix and an object of another."""
    for name, body in {"a.txt": b"alpha", "b/b.txt": b"beta!", "c.txt": b"gamma"}.items():
        cloud.put(f"inputs/{name}", body)
    cloud.put("inputs-other", b"other")
    return f"s3://{cloud.bucket}/inputs/"


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_files_of_a_manifest(cloud: Cloud, prefix: str, mode: str) -> None:
    manifest = cloud.put("lists/some.manifest", json.dumps([{"prefix": prefix}, "b/b.txt", "a.txt"]).encode())
    job = run(cloud, source(manifest, "ManifestFile", ContentType="text/plain"), mode)
    assert files(cloud, job) == {"b/b.txt": "beta!", "a.txt": "alpha"}
    config = json.loads(cloud.report(job)["input"]["config/inputdataconfig.json"])
    assert config == {
        "train": {
            "TrainingInputMode": mode,
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/plain",
        }
    }
    assert job["InputDataConfig"][0]["CompressionType"] == "None"


def test_fast_file_channels_are_read_only(cloud: Cloud, prefix: str) -> None:
    specification = {
        "TrainingImage": "tiny",
        "TrainingInputMode": "FastFile",
        "ContainerEntrypoint": ["bash", "-c"],
        "ContainerArguments": ["stat -c %a /opt/ml/input/data/train/a.txt"],
    }
    job = cloud.run(AlgorithmSpecification=specification, InputDataConfig=[source(prefix)])
    assert cloud.log(job["TrainingJobName"])[-1] == "444"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("", "'[' is expected"),
        ("{}", "line 1 of the manifest is not JSON: '[' is expected"),
        ("[]", "the manifest is empty"),
        ('["a.txt"]', 'line 1 of the manifest: the first element must be {"prefix": "s3://..."}, not "a.txt"'),
        ('[{"prefix": "inputs/"}, "a"]', "line 1 of the manifest: prefix: 'inputs/' is not an S3 URI"),
        ('[{"prefix": "PREFIX", "x": 1}, "a"]', "the first element must be"),
        ('[{"prefix": "PREFIX"}]', "names no object"),
        (
            '[\n {"prefix": "PREFIX"},\n "a.txt",\n 3]',
            "line 4 of the manifest: the name of an object is expected",
        ),
        ('[{"prefix": "PREFIX"},\n"a.txt"\n"c.txt"]', "line 3 of the manifest is not JSON: ']' is expected"),
        ('[{"prefix": "PREFIX"},\n"a.txt,\n"c.txt"]', "line 2 of the manifest is not JSON"),
        ('[{"prefix": "PREFIX"}, "a.txt"]\n!', "line 2 of the manifest: nothing may follow"),
        ('[{"prefix": "PREFIX"},\n"a.txt",\n"no.txt"]', "line 3 of the manifest: there is no object s3://"),
        ('[{"prefix": "s3://no-such-bucket/"},\n"a"]', "line 2 of the manifest: the bucket 'no-such-bucket' does not"),
        (b'[{"prefix": "\xff"}]', "not UTF-8"),
    ],
)
def test_a_wrong_manifest(cloud: Cloud, prefix: str, manifest: str | bytes, message: str) -> None:
    body = manifest if isinstance(manifest, bytes) else manifest.replace("PREFIX", prefix).encode()
    job = run(cloud, source(cloud.put(f"lists/{unique()}", body), "ManifestFile"))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed: s3://")
    assert message in job["FailureReason"]


def test_a_manifest_cannot_lead_out_of_its_channel(cloud: Cloud, workspace) -> None:
    prefix = cloud.put("leaks/../../leak.txt").removesuffix("../../leak.txt")
    manifest = cloud.put("lists/leak", json.dumps([{"prefix": prefix}, "../../leak.txt"]).encode())
    assert "leads out of the folder" in run(cloud, source(manifest, "ManifestFile"))["FailureReason"]
    assert not list(workspace.rglob("leak.txt"))


def test_pipes_carry_the_objects_one_after_the_other(cloud: Cloud, prefix: str) -> None:
    assert read_pipes(cloud, source(prefix), 3) == [b"alphabeta!gamma"] * 3


def test_pipes_wrap_each_object_in_a_record(cloud: Cloud, prefix: str) -> None:
    records = [record(b"alpha"), record(b"beta!"), record(b"gamma")]
    assert read_pipes(cloud, source(prefix, RecordWrapperType="RecordIO")) == [b"".join(records)]


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_pipes_decompress(cloud: Cloud, wrapper: str) -> None:
    for name in "xy":
        cloud.put(f"zipped/{name}.gz", gzip.compress(name.encode() * 100_000))
    channel = source(f"s3://{cloud.bucket}/zipped/", CompressionType="Gzip", RecordWrapperType=wrapper)
    plain = [b"x" * 100_000, b"y" * 100_000]
    assert read_pipes(cloud, channel) == [b"".join(map(record, plain) if wrapper == "RecordIO" else plain)]


def test_an_object_that_is_not_compressed_breaks_its_pipe(cloud: Cloud, prefix: str) -> None:
    job = run(cloud, source(prefix, CompressionType="Gzip"), "Pipe", {"epochs": 9})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: Data download failed: channel train: the object 'inputs/a.txt': Not a gzipped file"
    )


def test_a_program_need_not_read_to_the_end(cloud: Cloud) -> None:
    cloud.put("large/0", b"0" * 3_000_000)
    first, second = read_pipes(cloud, source(f"s3://{cloud.bucket}/large/"), 2, bytes=10)
    assert first == second == b"0" * 10


def test_a_job_whose_pipe_nobody_reads_ends_too(cloud: Cloud, prefix: str) -> None:
    job = run(cloud, source(prefix), "Pipe")
    assert job["TrainingJobStatus"] == "Completed"
    assert "data/train_0" not in cloud.report(job)["input"]  # a pipe, not a file


def test_shuffled_pipes_have_a_new_order_every_epoch(cloud: Cloud) -> None:
    for letter in "abcdefgh":
        cloud.put(f"letters/{letter}", letter.encode())
    uri = f"s3://{cloud.bucket}/letters/"
    orders = read_pipes(cloud, source(uri, ShuffleConfig={"Seed": 7}), 3)
    assert all(sorted(order) == sorted(b"abcdefgh") for order in orders)
    assert len({*orders, b"abcdefgh"}) == 4
    assert read_pipes(cloud, source(uri, ShuffleConfig={"Seed": 7}), 2) == orders[:2]
    assert read_pipes(cloud, source(uri, ShuffleConfig={"Seed": 8})) != orders[:1]


LINES = [
    {"source-ref": "PREFIXa.txt", "boxes": {"annotations": [{"class_id": 0}]}, "id": 1, "kind": "x"},
    {"kind": "\u00fc", "id": 2, "boxes": {"annotations": []}, "source-ref": "PREFIXb/b.txt", "other": None},
]


def augmented(cloud: Cloud, prefix: str, text: str, *attributes: str, **members: object) -> dict:
    uri = cloud.put(f"lists/{unique()}.jsonl", text.replace("PREFIX", prefix).encode())
    return source(uri, "AugmentedManifestFile", source={"AttributeNames": list(attributes)}, **members)


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_attributes_are_streamed_in_their_order(cloud: Cloud, prefix: str) -> None:
    names = ("source-ref", "boxes", "id", "kind")
    channel = augmented(cloud, prefix, lines(*LINES) + "\n", *names, RecordWrapperType="RecordIO")
    values = [
        b"alpha", b'{"annotations": [{"class_id": 0}]}', b"1", b"x",
        b"beta!", b'{"annotations": []}', b"2", "\u00fc".encode(),
    ]  # fmt: skip
    assert read_pipes(cloud, channel, 2) == [b"".join(map(record, values))] * 2


def test_attributes_without_records(cloud: Cloud, prefix: str) -> None:
    assert read_pipes(cloud, augmented(cloud, prefix, lines(*LINES), "id", "source-ref")) == [b"1alpha2beta!"]


def test_lines_are_shuffled_whole(cloud: Cloud, prefix: str) -> None:
    text = lines(*({"n": n, "m": -n} for n in range(10, 18)))
    channel = augmented(cloud, prefix, text, "n", "m", ShuffleConfig={"Seed": 1})
    epochs = read_pipes(cloud, channel, 2)
    cut = [[epoch[i : i + 5] for i in range(0, 40, 5)] for epoch in epochs]
    assert sorted(cut[0]) == sorted(cut[1]) == [f"{n}-{n}".encode() for n in range(10, 18)]
    assert cut[0] != cut[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\n", "the augmented manifest has no lines"),
        ('{"id": 1, "source-ref": "PREFIXa.txt"}\n{"id": 1\n', "line 2 of the augmented manifest is not JSON"),
        ("[1]", "line 1 of the augmented manifest: a JSON object is expected"),
        ('{"id": 1, "source-ref": "PREFIXa.txt"}\n\n{"id": 2}', "line 3 of the augmented manifest has no attribute 's"),
        ('{"id": 1, "source-ref": 5}', "line 1 of the augmented manifest: 'source-ref' must be an S3 URI, not 5"),
        ('{"id": 1, "source-ref": "PREFIXnone"}', "line 1 of the augmented manifest: 'source-ref': there is no object"),
    ],
)
def test_a_wrong_augmented_manifest(cloud: Cloud, prefix: str, text: str, message: str) -> None:
    job = run(cloud, augmented(cloud, prefix, text, "id", "source-ref"), "Pipe")
    assert job["TrainingJobStatus"] == "Failed"
    assert message in job["FailureReason"]
