"""The server's life: found, shared, killed, restarted, stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract.cloud import Cloud, archive, until
from local_sagemaker import ServerError

pytestmark = pytest.mark.http
Connect = Callable[..., BaseClient]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def processes_of(workspace: Path) -> list[psutil.Process]:
    """Every process whose command line or environment names the workspace."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join([*process.cmdline(), process.environ().get("SAGEMAKER_BASE_DIR", "")])
        except psutil.Error:
            continue
        if str(workspace) in text and process.pid != os.getpid():
            found.append(process)
    return found


def test_one_server_for_a_workspace(fresh_workspace: Path, images: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: local_sagemaker.start(fresh_workspace, images), range(2))
    assert first == second
    assert local_sagemaker.connection(fresh_workspace) == first
    assert local_sagemaker.status(fresh_workspace)["pid"] == first.pid


def test_two_processes_start_one_server(fresh_workspace: Path, images: Path) -> None:
    code = "import sys, local_sagemaker as s; print(s.start(sys.argv[1], sys.argv[2]).pid)"
    command = [sys.executable, "-c", code, str(fresh_workspace), str(images)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (process.communicate()[0] for process in running)
    assert first == second


def test_a_killed_server(fresh_workspace: Path, images: Path, connect: Connect) -> None:
    """Objects, records and endpoints come back; the job that ran has failed; its process is gone."""
    before = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    uri = before.put("kept/a b.txt", b"content")
    before.s3.put_object(Bucket=before.bucket, Key="gone", Body=b"x")
    before.s3.delete_object(Bucket=before.bucket, Key="gone")
    before.s3.put_object_tagging(
        Bucket=before.bucket, Key="kept/a b.txt", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]}
    )
    before.s3.create_bucket(Bucket="another")
    done = before.run({"lines": 1})
    endpoint = before.deploy(archive({"w": b"w"}))
    before.wait_endpoint(endpoint)
    running = before.start({"sleep": 600})
    before.wait_for_line(running, "sleeping")

    kill(before.connection.pid)
    assert len(processes_of(fresh_workspace)) >= 2  # the job and the endpoint's program, orphaned

    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert after.get(uri) == b"content"
    assert after.s3.get_object_tagging(Bucket=after.bucket, Key="kept/a b.txt")["TagSet"] == [
        {"Key": "k", "Value": "v"}
    ]
    keys = [item["Key"] for item in after.s3.list_objects_v2(Bucket=after.bucket)["Contents"]]
    assert "gone" not in keys
    assert "another" in [bucket["Name"] for bucket in after.s3.list_buckets()["Buckets"]]
    job = after.wait(running)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker was stopped")
    assert after.describe(done["TrainingJobName"])["TrainingJobStatus"] == "Completed"
    assert after.unpacked(done["ModelArtifacts"]["S3ModelArtifacts"])
    assert after.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    assert processes_of(fresh_workspace) == [psutil.Process(after.connection.pid)]
    assert after.invoke(endpoint, b"revived") == b"revived"
    assert before.connection.secret_access_key == after.connection.secret_access_key


def test_versions_survive(fresh_workspace: Path, images: Path, connect: Connect) -> None:
    before = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    before.s3.create_bucket(Bucket="versioned")
    before.s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    version = before.s3.put_object(Bucket="versioned", Key="k", Body=b"1")["VersionId"]
    before.s3.delete_object(Bucket="versioned", Key="k")
    kill(before.connection.pid)
    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert after.s3.get_object(Bucket="versioned", Key="k", VersionId=version)["Body"].read() == b"1"
    assert "Contents" not in after.s3.list_objects_v2(Bucket="versioned")


def test_stop_leaves_nothing(fresh_workspace: Path, images: Path, connect: Connect) -> None:
    cloud = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    cloud.wait_endpoint(cloud.deploy())
    name = cloud.start({"sleep": 600, "stubborn": 1, "orphan": 601})
    cloud.wait_for_line(name, "sleeping")
    started = time.monotonic()
    assert local_sagemaker.stop(fresh_workspace)
    assert time.monotonic() - started < 10
    assert processes_of(fresh_workspace) == []
    assert not local_sagemaker.stop(fresh_workspace)
    status = local_sagemaker.status(fresh_workspace)
    assert not status["running"]
    assert [job["name"] for job in status["jobs"]] == [name]
    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert after.describe(name)["TrainingJobStatus"] == "Failed"


@pytest.mark.parametrize("text", ["", "not json", '{"pid": 1, "created": 0, "port": 1, "instance": "x", "images": ""}'])
def test_a_stale_server_file(fresh_workspace: Path, images: Path, text: str) -> None:
    fresh_workspace.mkdir()
    (fresh_workspace / "server.json").write_text(text)
    assert local_sagemaker.connection(fresh_workspace) is None
    assert local_sagemaker.start(fresh_workspace, images).pid > 1


def test_two_workspaces(server, cloud: Cloud, fresh_workspace: Path, images: Path, connect: Connect) -> None:
    other = local_sagemaker.start(fresh_workspace, images)
    assert other.endpoint_url != server.endpoint_url
    assert other.secret_access_key != server.secret_access_key
    cloud.put("mine")
    assert "Contents" not in connect(other, "s3").list_objects_v2(Bucket=other.bucket)


def test_another_region(fresh_workspace: Path, images: Path, connect: Connect) -> None:
    connection = local_sagemaker.start(fresh_workspace, images, region="eu-west-1")
    assert connection.bucket == "sagemaker-eu-west-1-123456789012"
    assert connect(connection, "s3").list_buckets()["Buckets"][0]["Name"] == connection.bucket
    assert connect(connection, "sagemaker").list_models()["Models"] == []


def test_refusals(tmp_path: Path, fresh_workspace: Path, images: Path) -> None:
    with pytest.raises(ServerError, match="no image registry"):
        local_sagemaker.start(fresh_workspace, tmp_path / "none.toml")
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match=r"workspace .*/file"):
        local_sagemaker.start(tmp_path / "file", images)


def test_another_registry(tmp_path: Path, fresh_workspace: Path, images: Path, connect: Connect) -> None:
    """A server with other images is replaced, at its port, unless something runs in it."""
    first = local_sagemaker.start(fresh_workspace, images)
    other = shutil.copytree(images.parent, tmp_path / "other") / "images.toml"
    second = local_sagemaker.start(fresh_workspace, other)
    assert second.pid != first.pid
    assert second.endpoint_url == first.endpoint_url
    cloud = Cloud(second, connect)
    name = cloud.start({"sleep": 600})
    with pytest.raises(ServerError, match=f"runs with the images of .*/other/images.toml, and TrainingJob {name} is"):
        local_sagemaker.start(fresh_workspace, images)
    assert local_sagemaker.start(fresh_workspace, other) == second


def test_older_code(fresh_workspace: Path, images: Path, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """A server of an older version of the code is replaced unless something runs in it, which is said."""

    def outdate() -> None:
        file = fresh_workspace / "server.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "code": "older"}))

    first = local_sagemaker.start(fresh_workspace, images)
    outdate()
    second = local_sagemaker.start(fresh_workspace, images)
    assert (second.pid == first.pid, second.endpoint_url == first.endpoint_url) == (False, True)
    name = Cloud(second, connect).start({"sleep": 600})
    outdate()
    assert local_sagemaker.start(fresh_workspace, images).pid == second.pid
    assert f"runs older code, because TrainingJob {name} is not at its end" in caplog.text


def test_a_restart_keeps_the_port(fresh_workspace: Path, images: Path) -> None:
    first = local_sagemaker.start(fresh_workspace, images)
    kill(first.pid)
    assert local_sagemaker.start(fresh_workspace, images).endpoint_url == first.endpoint_url


def test_command_line(fresh_workspace: Path, images: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        base = [sys.executable, "-m", "local_sagemaker", "--workspace", str(fresh_workspace), "--images", str(images)]
        return subprocess.run([*base, *arguments], capture_output=True, text=True)

    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in run("up").stdout
    assert '"running": true' in run("status").stdout
    assert run("build", "tiny").stdout.endswith("/bin/python\n")
    unknown = run("build", "nothing")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("local_sagemaker: unknown image 'nothing'")
    assert unknown.stderr.count("\n") == 1
    assert run("down").stdout == "stopped\n"
    assert run("down").stdout == "no server ran\n"
