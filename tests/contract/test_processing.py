"""Processing jobs: scripts and images' own programs over inputs in S3."""

import contextlib
import io
import json
import os
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract.cloud import Cloud, error_of, unique, until
from contract.processors import CODE, INPUT, REPORT, Processors, resources, s3_input


@pytest.fixture(scope="module")
def data(cloud: Cloud) -> str:
    """A prefix with four objects."""
    for name in ("a", "b", "c", "sub/d"):
        cloud.put(f"processing-data/{name}.txt", name.encode())
    return f"s3://{cloud.bucket}/processing-data/"


def test_script(processors: Processors, data: str) -> None:
    request = processors.request(
        REPORT,
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
    request = processors.request(REPORT, [sharded], ProcessingResources=resources(3))
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
    request = processors.request(REPORT, [s3_input(manifest, S3DataType="ManifestFile")])
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
    job = processors.run(processors.request(REPORT, [s3_input(f"s3://{cloud.bucket}/nothing-here/")]))
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


@pytest.mark.http
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
