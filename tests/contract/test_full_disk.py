"""A disk without room: clear errors, nothing corrupted, and all goes on once there is room again."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract.cloud import Cloud, error_of, until
from contract.test_lifecycle import kill

pytestmark = pytest.mark.http
SIZE = 12 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A workspace on a file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this user may not mount a small disk: {mounted.stderr.strip()}")
    yield folder / "workspace"
    local_sagemaker.stop(folder / "workspace")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take the last byte of the disk; the file that holds it."""
    filler = folder.parent / "filler"
    with filler.open("ab", buffering=0) as stream, contextlib.suppress(OSError):
        for size in (1 << 16, 1):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(size))
    return filler


def test_a_full_disk(small_disk: Path, images: Path, connect: Callable[..., BaseClient]) -> None:
    cloud = Cloud(local_sagemaker.start(small_disk, images), connect)
    kept = {f"kept/{number}": bytes([number]) * 1000 for number in range(20)}
    for key, body in kept.items():
        cloud.put(key, body)
    job = cloud.start({"sleep": 1})
    cloud.wait_for_line(job, "sleeping")

    put = cloud.s3.put_object
    for refused, arguments in (
        (put, {"Bucket": cloud.bucket, "Key": "new", "Body": b"x" * 200_000}),
        (put, {"Bucket": cloud.bucket, "Key": "kept/0", "Body": b"y" * 200_000}),
        (put, {"Bucket": cloud.bucket, "Key": "tagged", "Body": b"z" * 200_000, "Tagging": "a=b"}),
        (cloud.sagemaker.create_model, cloud_model(cloud)),
    ):
        filler = fill(small_disk)  # again: the job may have ended and made room
        code, status, text = error_of(refused, **arguments)
        assert (code, status) == ("InsufficientStorage", 507)
        assert str(small_disk) in text
    assert cloud.get(f"s3://{cloud.bucket}/kept/0") == kept["kept/0"]
    assert cloud.sagemaker.list_models()["Models"] == []

    filler.unlink()
    assert cloud.wait(job)["TrainingJobStatus"] in ("Completed", "Failed")
    cloud.put("after", b"room again")
    cloud.sagemaker.create_model(**cloud_model(cloud))
    fill(small_disk)
    kill(cloud.connection.pid)
    (small_disk.parent / "filler").unlink()

    after = Cloud(local_sagemaker.start(small_disk, images), connect)
    for key, body in {**kept, "after": b"room again"}.items():
        assert after.get(f"s3://{after.bucket}/{key}") == body
    keys = [item["Key"] for item in after.s3.list_objects_v2(Bucket=after.bucket, Prefix="kept")["Contents"]]
    assert keys == sorted(kept)
    assert len(after.sagemaker.list_models()["Models"]) == 1
    wanted = after.s3.list_objects_v2(Bucket=after.bucket)["KeyCount"]
    until(lambda: len(list((small_disk / "s3" / "blobs").glob("??/*"))) == wanted)


def cloud_model(cloud: Cloud) -> dict:
    return {
        "ModelName": "m",
        "PrimaryContainer": {"Image": "tiny", "Environment": {"LONG": "x" * 900}},
        "ExecutionRoleArn": cloud.connection.role_arn,
    }
