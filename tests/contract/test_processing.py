"""Processing jobs: scripts and images' own programs over inputs in S3."""

import contextlib
import io
import json
import os
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

import local_sagemaker
from contract.cloud import Cloud, error_of, unique, until
from contract.processors import CODE, INPUT, OUTPUT, Processors, resources, s3_input

SCRIPT = """
import json, os, sys
from pathlib import Path

report = {
    "argv": sys.argv[1:],
    "python": sys.executable,
    "environ": dict(os.environ),
    "inputs": {p.name: p.read_text() for p in Path("/opt/ml/processing/input/data").rglob("*") if p.is_file()},
    "resources": json.loads(Path("/opt/ml/config/resourceconfig.json").read_text()),
    "job": json.loads(Path("/opt/ml/config/processingjobconfig.json").read_text()),
}
host = report["resources"]["current_host"]
Path("/opt/ml/processing/output", f"{host}.json").write_text(json.dumps(report))
print(f"report of {host}")
"""


@pytest.fixture(scope="module")
def processors(cloud: Cloud) -> Processors:
    return Processors(cloud)


@pytest.fixture(scope="module")
def data(cloud: Cloud) -> str:
    """A prefix with four objects."""
    for name in ("a", "b", "c", "sub/d"):
        cloud.put(f"processing-data/{name}.txt", name.encode())
    return f"s3://{cloud.bucket}/processing-data/"


def test_script(processors: Processors, data: str) -> None:
    request = processors.request(
        SCRIPT,
        [s3_input(data)],
        Environment={"WHERE": f"{INPUT}/a.txt", "PLAIN": "x"},
        Tags=[{"Key": "a", "Value": "b"}],
    )
    request["AppSpecification"]["ContainerArguments"] = ["--data", INPUT, "--epochs", "3"]
    job = processors.run(request)
    name = request["ProcessingJobName"]
    assert job["ProcessingJobStatus"] == "Completed", processors.log(name)
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    report = json.loads(processors.outputs(name)["algo-1.json"])
    assert report["inputs"] == {"a.txt": "a", "b.txt": "b", "c.txt": "c", "d.txt": "sub/d"}
    assert report["argv"][2:] == ["--epochs", "3"]
    assert Path(report["argv"][1]).parts[-3:] == ("processing", "input", "data")
    assert report["environ"]["WHERE"] == f"{report['argv'][1]}/a.txt"
    assert "environments/tiny-" in report["python"]
    assert "CALLER_SECRET" not in report["environ"]
    assert report["resources"]["hosts"] == ["algo-1"]
    assert report["job"]["ProcessingJobName"] == name
    assert report["job"]["Environment"]["PLAIN"] == "x"
    assert processors.log(name)[-1] == "report of algo-1"


def test_an_image_of_its_own(processors: Processors) -> None:
    specification = {"ImageUri": "registry/tiny:1", "ContainerArguments": ["--depth", "2"]}
    request = processors.request(ProcessingInputs=None, AppSpecification=specification)
    assert processors.run(request)["ProcessingJobStatus"] == "Completed"
    assert json.loads(processors.outputs(request["ProcessingJobName"])["arguments.json"]) == ["--depth", "2"]


def test_an_image_without_a_program(processors: Processors) -> None:
    job = processors.run(processors.request(AppSpecification={"ImageUri": "registry/trainonly"}))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "ContainerEntrypoint" in job["FailureReason"]


def test_several_hosts(processors: Processors, cloud: Cloud, data: str) -> None:
    sharded = s3_input(data, S3DataDistributionType="ShardedByS3Key")
    request = processors.request(SCRIPT, [sharded], ProcessingResources=resources(3))
    assert processors.run(request)["ProcessingJobStatus"] == "Completed"
    outputs = processors.outputs(request["ProcessingJobName"])
    reports = [json.loads(outputs[f"algo-{n}.json"]) for n in (1, 2, 3)]
    shares = [set(report["inputs"]) for report in reports]
    assert set().union(*shares) == {"a.txt", "b.txt", "c.txt", "d.txt"}
    assert sum(map(len, shares)) == 4
    assert all(report["resources"]["hosts"] == ["algo-1", "algo-2", "algo-3"] for report in reports)
    assert {f"report of algo-{n}" for n in (1, 2, 3)} <= set(processors.log(request["ProcessingJobName"]))


def test_manifest(processors: Processors, cloud: Cloud, data: str) -> None:
    manifest = cloud.put("processing-manifest", json.dumps([{"prefix": data}, "a.txt", "sub/d.txt"]).encode())
    request = processors.request(SCRIPT, [s3_input(manifest, S3DataType="ManifestFile")])
    assert processors.run(request)["ProcessingJobStatus"] == "Completed"
    report = json.loads(processors.outputs(request["ProcessingJobName"])["algo-1.json"])
    assert set(report["inputs"]) == {"a.txt", "d.txt"}


def test_continuous_output_appears_while_the_job_runs(processors: Processors) -> None:
    script = """
    import time
    from pathlib import Path
    folder = Path("/opt/ml/processing/output")
    (folder / "sub").mkdir()
    (folder / "sub" / "early.txt").write_text("early")
    time.sleep(60)
    """
    request = processors.request(script)
    name = request["ProcessingJobName"]
    request["ProcessingOutputConfig"]["Outputs"] = [processors.output(name, mode="Continuous")]
    processors.start(request)
    until(lambda: processors.outputs(name) == {"sub/early.txt": b"early"}, 20)
    processors._cloud.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert processors.wait(name)["ProcessingJobStatus"] == "Stopped"


def test_failure_and_exit_message(processors: Processors) -> None:
    script = """
    import sys
    from pathlib import Path
    Path("/opt/ml/output/message").write_text("no boxes in frame 7")
    Path("/opt/ml/processing/output/half.txt").write_text("half")
    sys.exit(3)
    """
    request = processors.request(script)
    job = processors.run(request)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "no boxes in frame 7"
    assert job["FailureReason"].endswith("exit code: 3")
    assert processors.outputs(request["ProcessingJobName"]) == {}


def test_one_failing_host_ends_the_others(processors: Processors) -> None:
    script = """
    import json, sys, time
    host = json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"]
    sys.exit(5) if host == "algo-2" else time.sleep(60)
    """
    job = processors.run(processors.request(script, ProcessingResources=resources(2)))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("exit code: 5")


def test_max_runtime_stops_the_job(processors: Processors) -> None:
    request = processors.request("import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert processors.run(request)["ProcessingJobStatus"] == "Stopped"


def test_missing_data_and_missing_bucket(processors: Processors, cloud: Cloud) -> None:
    job = processors.run(processors.request(SCRIPT, [s3_input(f"s3://{cloud.bucket}/nothing-here/")]))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "No S3 objects found" in job["FailureReason"]
    request = processors.request("open('/opt/ml/processing/output/x', 'w')")
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = "s3://no-such-bucket-here/x"
    assert "no-such-bucket-here" in processors.run(request)["FailureReason"]


def test_links_do_not_leave_the_output(processors: Processors) -> None:
    script = """
    import os
    os.symlink("/etc/hostname", "/opt/ml/processing/output/outside")
    open("/opt/ml/processing/output/inside", "w").write("in")
    os.symlink("inside", "/opt/ml/processing/output/link")
    """
    request = processors.request(script)
    assert processors.run(request)["ProcessingJobStatus"] == "Completed"
    assert processors.outputs(request["ProcessingJobName"]) == {"inside": b"in", "link": b"in"}


def test_the_sdk_s_archive_of_scripts(processors: Processors, cloud: Cloud) -> None:
    """FrameworkProcessor: a shell script that unpacks sourcedir.tar.gz and runs a script in it."""
    body = b"open('/opt/ml/processing/output/made', 'w').write('by the script')"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("entry.py")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    run = b"#!/bin/bash\nset -e\ncd /opt/ml/processing/input/code/\ntar -xzf sourcedir.tar.gz\npython3 entry.py\n"
    inputs = [
        s3_input(cloud.put("framework/sourcedir.tar.gz", buffer.getvalue()), CODE, "code"),
        s3_input(cloud.put("framework/runproc.sh", run), "/opt/ml/processing/input/entrypoint", "entrypoint"),
    ]
    command = ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"]
    specification = {"ImageUri": "registry/tiny:1", "ContainerEntrypoint": command}
    request = processors.request(ProcessingInputs=inputs, AppSpecification=specification)
    assert processors.run(request)["ProcessingJobStatus"] == "Completed", processors.log(request["ProcessingJobName"])
    assert processors.outputs(request["ProcessingJobName"]) == {"made": b"by the script"}


def test_a_killed_server(fresh_workspace: Path, images: Path, connect: Callable[..., BaseClient]) -> None:
    """After the restart the job has failed, its program is gone, and another can have its name once it is deleted."""
    before = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    request = Processors(before).request("import time; print('running', flush=True); time.sleep(600)")
    name = Processors(before).start(request)
    program = until(lambda: programs_of(fresh_workspace))[0]
    os.kill(before.connection.pid, signal.SIGKILL)
    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    job = Processors(after).wait(name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker was stopped")
    until(lambda: not psutil.pid_exists(program))
    after.sagemaker.delete_processing_job(ProcessingJobName=name)
    again = Processors(after).request("pass")
    assert Processors(after).run({**again, "ProcessingJobName": name})["ProcessingJobStatus"] == "Completed"


def programs_of(workspace: Path) -> list[int]:
    """The processes of jobs' programs below a workspace."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("SAGEMAKER_BASE_DIR", "").startswith(str(workspace)):
                found.append(process.pid)
    return found


def test_list_stop_delete(processors: Processors, cloud: Cloud) -> None:
    sagemaker = cloud.sagemaker
    name = processors.start(processors.request("import time; time.sleep(60)"))
    assert error_of(sagemaker.delete_processing_job, ProcessingJobName=name)[0] == "ResourceInUse"
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert processors.wait(name)["ProcessingJobStatus"] == "Stopped"
    assert "Stopped" in error_of(sagemaker.stop_processing_job, ProcessingJobName=name)[2]
    listed = sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Stopped")["ProcessingJobSummaries"]
    assert [job["ProcessingJobName"] for job in listed] == [name]
    sagemaker.delete_processing_job(ProcessingJobName=name)
    for operation in ("describe", "stop", "delete"):
        code, _, message = error_of(getattr(sagemaker, f"{operation}_processing_job"), ProcessingJobName=name)
        assert code == "ValidationException"
        assert "Could not find requested job" in message
    pages = sagemaker.get_paginator("list_processing_jobs").paginate(PaginationConfig={"PageSize": 1, "MaxItems": 3})
    assert len([job for page in pages for job in page["ProcessingJobSummaries"]]) == 3


def test_duplicate_name(processors: Processors, cloud: Cloud) -> None:
    request = processors.request("")
    processors.run(request)
    code, _, message = error_of(cloud.sagemaker.create_processing_job, **request)
    assert code == "ResourceInUse"
    assert "already exists" in message


def with_input(**changes: Any) -> dict[str, Any]:
    return {"ProcessingInputs": [s3_input("s3://b/k", **changes)]}


ATHENA = {"Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b/k", "OutputFormat": "JSON"}
S3_OUTPUT = {"S3Uri": "s3://b/k", "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"AppSpecification": {"ImageUri": "nobody/unknown:1"}}, "ValidationException", "Cannot find the image"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "ValidationException", "Could not assume role"),
        (with_input(S3InputMode="Pipe"), "ValidationException", "S3InputMode Pipe"),
        (with_input(S3CompressionType="Gzip"), "ValidationException", "only for the S3InputMode Pipe"),
        (with_input(S3Uri="https://b/k"), "ValidationException", "is not an S3 URI"),
        (with_input(LocalPath="/tmp/data"), "ValidationException", "'/tmp/data', which is not below /opt/ml,"),
        (with_input(LocalPath="/opt/ml/../../etc"), "ValidationException", "which is not below /opt/ml,"),
        (
            {"ProcessingInputs": [s3_input("s3://b/k"), s3_input("s3://b/k")]},
            "ValidationException",
            "data is there twice",
        ),
        ({"ProcessingInputs": [{"InputName": "none"}]}, "ValidationException", "S3Input is required"),
        (
            {"ProcessingInputs": [{"InputName": "x", "DatasetDefinition": {"AthenaDatasetDefinition": ATHENA}}]},
            "ValidationException",
            "ProcessingInputs.DatasetDefinition is not emulated",
        ),
        (
            {
                "ProcessingOutputConfig": {
                    "Outputs": [{"OutputName": "f", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]
                }
            },
            "ValidationException",
            "FeatureStoreOutput is not emulated",
        ),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": S3_OUTPUT}] * 2}},
            "ValidationException",
            "o is there twice",
        ),
        ({"ProcessingResources": resources(5)}, "ResourceLimitExceeded", "Instances"),
        ({"ProcessingResources": resources(InstanceType="ml.bogus")}, "ValidationException", "instanceType"),
        ({"ProcessingResources": resources(InstanceType=None)}, "ValidationException", "InstanceType is required"),
        ({"NetworkConfig": {"EnableNetworkIsolation": True}}, "ValidationException", "EnableNetworkIsolation"),
        ({"ExperimentConfig": {"ExperimentName": "absent"}}, "ResourceNotFound", "absent does not exist"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 10**6}}, "ValidationException", "maxRuntimeInSeconds"),
    ],
)
def test_refusals(processors: Processors, cloud: Cloud, changes: dict[str, Any], code: str, words: str) -> None:
    request = processors.request(**changes)
    got, _, message = error_of(cloud.sagemaker.create_processing_job, **request)
    assert got == code
    assert words in message
    with pytest.raises(ClientError):
        cloud.sagemaker.describe_processing_job(ProcessingJobName=request["ProcessingJobName"])


def test_experiment_config(processors: Processors, cloud: Cloud) -> None:
    trial = unique("processing-trial")
    cloud.sagemaker.create_experiment(ExperimentName=trial)
    cloud.sagemaker.create_trial(TrialName=trial, ExperimentName=trial)
    request = processors.request("", ExperimentConfig={"ExperimentName": trial, "TrialName": trial})
    processors.run(request)
    (summary,) = cloud.sagemaker.list_trial_components(TrialName=trial)["TrialComponentSummaries"]
    assert summary["TrialComponentSource"]["SourceArn"].endswith(f"processing-job/{request['ProcessingJobName']}")
    component = cloud.sagemaker.describe_trial_component(TrialComponentName=summary["TrialComponentName"])
    assert component["Status"]["PrimaryStatus"] == "Completed"
    assert component["Parameters"]["SageMaker.InstanceCount"] == {"NumberValue": 1.0}


def test_script_processor_of_the_sdk(processors: Processors, cloud: Cloud, tmp_path: Path, data: str) -> None:
    pytest.importorskip("sagemaker.core.processing", reason="the SageMaker SDK v3 is not installed")
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output

    session = Session(boto_session=boto3.Session(region_name=cloud.connection.region), default_bucket=cloud.bucket)
    (tmp_path / "x.py").write_text(SCRIPT)
    processor = ScriptProcessor(
        role=cloud.connection.role_arn,
        image_uri="registry/tiny:1",
        command=["python3"],
        instance_count=1,
        instance_type="ml.m5.large",
        base_job_name=unique("sdk-processing"),
        sagemaker_session=session,
    )
    name = unique("sdk-output")
    source = ProcessingS3Input(s3_uri=data, local_path=INPUT, s3_data_type="S3Prefix", s3_input_mode="File")
    target = ProcessingS3Output(
        s3_uri=f"s3://{cloud.bucket}/{name}/output", local_path=OUTPUT, s3_upload_mode="EndOfJob"
    )
    processor.run(
        code=str(tmp_path / "x.py"),
        inputs=[ProcessingInput(input_name="data", s3_input=source)],
        outputs=[ProcessingOutput(output_name="report", s3_output=target)],
        arguments=["--rate", "0.5"],
        logs=False,
    )
    report = json.loads(processors.outputs(name)["algo-1.json"])
    assert report["argv"] == ["--rate", "0.5"]
    assert set(report["inputs"]) == {"a.txt", "b.txt", "c.txt", "d.txt"}
