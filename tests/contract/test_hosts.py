"""Training on several hosts: each a process with files of its own; they meet, and what they leave is one."""

import json

import pytest

from contract.cloud import LOG_GROUP, Cloud, until

COMMON = """
import json, os, socket, sys, time
base = os.environ["SAGEMAKER_BASE_DIR"]
resources = json.load(open(base + "/input/config/resourceconfig.json"))
hosts, host = resources["hosts"], resources["current_host"]
rank = hosts.index(host)
def leave(name, text, folder="model"):
    with open(f"{base}/{folder}/{name}", "w") as file:
        file.write(text)
"""

MEET = """
meeting = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    with socket.create_server(meeting) as server:
        guests = [server.accept()[0] for _ in hosts[1:]]
        total = sum(int(guest.recv(9)) for guest in guests)
        for guest in guests:
            guest.sendall(str(total).encode())
else:
    for attempt in range(200):
        try:
            guest = socket.create_connection(meeting)
            break
        except OSError:
            time.sleep(0.05)
    guest.sendall(str(rank).encode())
    total = int(guest.recv(9))
print(f"total={total}; on {host}")
leave(f"rank-{rank}.txt", f"{total} of {resources}")
leave("shared.txt", host)
leave(f"data-{rank}.txt", json.dumps(sorted(os.listdir(base + "/input/data/train"))), "output/data")
leave(f"state-{rank}.txt", host, "checkpoints")
"""

ONE_FAILS = """
if rank == 1:
    print("giving up", flush=True)
    leave("failure", "host 1 gave up", "output")
    sys.exit(3)
try:
    time.sleep(600)
finally:
    print("never reached")
"""


def start(cloud: Cloud, script: str, count: int = 2, **changes: object) -> str:
    """Start a job with this program on so many hosts."""
    code = cloud.put(f"hosts/code/{abs(hash(script))}/main.py", (COMMON + script).encode())
    channels = [channel("code", code), *changes.pop("channels", [])]
    specification = {
        "TrainingImage": "tiny",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python", "/opt/ml/input/data/code/main.py"],
        "MetricDefinitions": [{"Name": "total", "Regex": r"total=(\d+);"}],
    }
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1}
    return cloud.start(
        AlgorithmSpecification=specification, ResourceConfig=resources, InputDataConfig=channels, **changes
    )


def channel(name: str, uri: str, **source: object) -> dict:
    data = {"S3DataType": "S3Prefix", "S3Uri": uri, **source}
    return {"ChannelName": name, "DataSource": {"S3DataSource": data}}


def streams(cloud: Cloud, name: str) -> dict[str, list[str]]:
    """Each host's log lines."""
    found = cloud.logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    names = {stream["logStreamName"].removeprefix(f"{name}/").rpartition("-")[0]: stream for stream in found}
    return {
        host: [
            event["message"]
            for event in cloud.logs.get_log_events(
                logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
        for host, stream in names.items()
    }


@pytest.fixture(scope="module")
def job(cloud: Cloud) -> dict:
    """A job of three hosts that meet, with seven objects shared out."""
    for number in range(7):
        cloud.put(f"hosts/seven/{number}")
    train = channel("train", f"s3://{cloud.bucket}/hosts/seven/", S3DataDistributionType="ShardedByS3Key")
    checkpoints = {"S3Uri": f"s3://{cloud.bucket}/hosts/checkpoints"}
    job = cloud.wait(start(cloud, MEET, 3, channels=[train], CheckpointConfig=checkpoints))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def test_hosts_meet(cloud: Cloud, job: dict) -> None:
    model = cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])
    assert [model[f"rank-{rank}.txt"][:5] for rank in range(3)] == [b"3 of "] * 3
    assert {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]} == {"total": 3.0}


def test_each_host_knows_itself_and_the_others(cloud: Cloud, job: dict) -> None:
    model = cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])
    for rank in range(3):
        text = model[f"rank-{rank}.txt"].decode()
        assert f"'current_host': 'algo-{rank + 1}'" in text
        assert "'hosts': ['algo-1', 'algo-2', 'algo-3']" in text
        assert "'instance_groups': [{'instance_group_name': 'homogeneousCluster'" in text


def test_the_first_hosts_file_counts_where_several_wrote_one(cloud: Cloud, job: dict) -> None:
    assert cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])["shared.txt"] == b"algo-1"
    assert "Several hosts wrote shared.txt; the first one's is kept" in streams(cloud, job["TrainingJobName"])["algo-1"]


def test_shards_are_disjoint_and_together_all(cloud: Cloud, job: dict) -> None:
    output = cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar", "output.tar"))
    shares = [json.loads(output[f"data-{rank}.txt"]) for rank in range(3)]
    assert sorted(map(len, shares)) == [2, 2, 3]
    assert sorted(name for share in shares for name in share) == [str(number) for number in range(7)]


def test_each_host_has_a_log_stream_and_a_log_file(cloud: Cloud, job: dict, workspace) -> None:
    logs = streams(cloud, job["TrainingJobName"])
    assert sorted(logs) == ["algo-1", "algo-2", "algo-3"]
    for host, lines in logs.items():
        assert f"total=3; on {host}" in lines
        file = workspace / "jobs" / job["TrainingJobName"] / host / "log.txt"
        assert file.read_text().splitlines() == lines
        assert [path.stat().st_mode & 0o777 for path in (file.parent, file.parent.parent)] == [0o700, 0o700]


def test_all_hosts_checkpoints_are_kept(cloud: Cloud, job: dict) -> None:
    for rank in range(3):
        assert cloud.get(f"s3://{cloud.bucket}/hosts/checkpoints/state-{rank}.txt") == f"algo-{rank + 1}".encode()


def test_jobs_at_the_same_time_do_not_meet_each_other(cloud: Cloud) -> None:
    for number in range(2):
        cloud.put(f"hosts/two/{number}")
    train = channel("train", f"s3://{cloud.bucket}/hosts/two/")
    names = [start(cloud, MEET, count, channels=[train]) for count in (2, 4)]
    values = [cloud.wait(name)["FinalMetricDataList"][0]["Value"] for name in names]
    assert values == [1.0, 6.0]


def test_one_host_that_fails_ends_the_job(cloud: Cloud) -> None:
    job = cloud.wait(start(cloud, ONE_FAILS, 3))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: host 1 gave up, exit code: 3"
    assert streams(cloud, job["TrainingJobName"])["algo-2"][-1] == "giving up"


def test_a_stubborn_host_is_killed_when_another_fails(cloud: Cloud, workspace) -> None:
    script = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ONE_FAILS
    job = cloud.wait(start(cloud, script, 2))
    assert job["FailureReason"] == "AlgorithmError: host 1 gave up, exit code: 3"


def test_stop_reaches_all_hosts(cloud: Cloud) -> None:
    name = start(cloud, "leave(host, 'x')\nprint('waiting', flush=True)\ntime.sleep(600)", 2)
    until(lambda: list(streams(cloud, name).values()) == [["waiting"]] * 2 if logged(cloud, name) else False)
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    job = cloud.wait(name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert set(cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])) == {"algo-1", "algo-2"}


def logged(cloud: Cloud, name: str) -> bool:
    groups = cloud.logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    return bool(groups) and len(streams(cloud, name)) == 2


def test_shuffled_shares_change_from_epoch_to_epoch(cloud: Cloud) -> None:
    """In Pipe mode objects are shuffled over all hosts, so a host gets others the next epoch."""
    for letter in "abcdefgh":
        cloud.put(f"hosts/letters/{letter}", letter.encode())
    script = """
epochs = [open(f"{base}/input/data/train_{epoch}").read() for epoch in range(3)]
leave(f"epochs-{rank}.json", json.dumps(epochs))
"""
    uri = f"s3://{cloud.bucket}/hosts/letters/"
    train = channel("train", uri, S3DataDistributionType="ShardedByS3Key")
    train |= {"InputMode": "Pipe", "ShuffleConfig": {"Seed": 1}}
    job = cloud.wait(start(cloud, script, 2, channels=[train]))
    model = cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])
    shares = [json.loads(model[f"epochs-{rank}.json"]) for rank in range(2)]
    assert all(sorted(first + second) == list("abcdefgh") for first, second in zip(*shares, strict=True))
    assert len({"".join(sorted(epoch)) for epoch in shares[0]}) > 1


def test_the_sdks_drivers_meet_at_the_jobs_own_port(cloud: Cloud) -> None:
    """The v3 SDK's scripts name algo-1:7777, which one machine cannot give to several jobs."""
    drivers = 'SM_MASTER_ADDR = "algo-1"\nSM_MASTER_PORT = 7777\n'
    uri = cloud.put("hosts/drivers/environment.py", drivers.encode())
    script = 'leave(f"{rank}.txt", open(base + "/input/data/sm_drivers/environment.py").read())'
    job = cloud.wait(start(cloud, script, 2, channels=[channel("sm_drivers", uri)]))
    model = cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])
    first, second = model["0.txt"].decode(), model["1.txt"].decode()
    assert first == second
    assert first.startswith('SM_MASTER_ADDR = "127.0.0.1"\nSM_MASTER_PORT = ')
    assert int(first.split()[-1]) not in (0, 7777)


def test_a_single_host_is_told_no_meeting_point(cloud: Cloud) -> None:
    assert not {"MASTER_ADDR", "MASTER_PORT"} & cloud.report(cloud.run())["environ"].keys()
