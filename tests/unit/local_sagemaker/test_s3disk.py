"""The guard and the index of S3 on disk; what a client sees is in the contract tests."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from local_sagemaker.aws.s3 import index as indexes, keys
import moto

if sys.argv[2] == "guard":
    moto.__version__ = "0.0.0"
blobs = keys.install(Path(sys.argv[1]))
from moto.s3.models import s3_backends
backend = s3_backends["123456789012"]["aws"]
index = indexes.Index(Path(sys.argv[1]) / "index.sqlite", backend, blobs)
for orphan in index.load():
    orphan.unlink()
"""


def run(folder: Path, mode: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: the hooks into moto are global."""
    program = PROGRAM + code
    return subprocess.run([sys.executable, "-c", program, str(folder), mode], capture_output=True, text=True)


def test_another_moto_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "guard")
    assert result.returncode == 1
    assert "S3 on disk is written for moto 5.2.5, not 0.0.0" in result.stderr


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose process died between an object's bytes and its index row."""
    folder = tmp_path_factory.mktemp("s3")
    code = """
import os
backend.create_bucket("bucket", "us-east-1")
backend.put_object("bucket", "kept", b"old")
backend.put_object("bucket", "deleted", b"there")
index.save()
backend.put_object("bucket", "kept", b"new, never acknowledged")
backend.put_object("bucket", "lost", b"never acknowledged")
backend.delete_object("bucket", "deleted")
os._exit(1)
"""
    assert run(folder, "", code).stderr == ""
    return folder


def test_a_crash_loses_nothing_that_was_acknowledged(crashed: Path) -> None:
    code = """
bucket = backend.buckets["bucket"]
print({name: key.value for name, key in bucket.keys.items()})
print(bucket.keys["kept"].etag, len(list(blobs.folder.glob("??/*"))))
"""
    lines = run(crashed, "", code).stdout.splitlines()
    assert lines[0] == "{'deleted': b'there', 'kept': b'old'}"
    assert lines[1] == '"149603e6c03516362a8da23f624db945" 2'  # md5 of "old"; the orphans are swept


def test_a_refused_write_is_tried_again(tmp_path: Path) -> None:
    code = """
import sqlite3
backend.create_bucket("bucket", "us-east-1")
backend.put_object("bucket", "key", b"data")
write = index._write
def full(changed): raise sqlite3.OperationalError("database or disk is full")
index._write = full
try:
    index.save()
except OSError as error:
    print(error)
index._write = write
index.save()
print(list(index._database.execute("SELECT bucket, key FROM object")))
"""
    assert run(tmp_path, "", code).stdout.splitlines() == [
        "[Errno 5] S3 index: database or disk is full",
        "[('bucket', 'key')]",
    ]


def test_a_file_stays_while_the_index_names_it(tmp_path: Path) -> None:
    """One request's delete is in memory only when another request's write is made durable and the server dies."""
    code = """
import os
backend.create_bucket("bucket", "us-east-1")
backend.put_object("bucket", "deleted", b"there")
index.save()
backend.delete_object("bucket", "deleted")
bucket = backend.buckets["bucket"]
key = keys.DiskKey.of(bucket, "other", path=blobs.write(b"other"), contentsize=5, _etag="x")
print(index.place(bucket, "other", key), flush=True)
os._exit(1)
"""
    assert run(tmp_path, "", code).stdout == "True\n"
    assert run(tmp_path, "", 'print(backend.buckets["bucket"].keys["deleted"].value)').stdout == "b'there'\n"
