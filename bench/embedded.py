"""The embedded SageMaker: start, job start, call overhead, objects per second, in a workspace of its own."""

import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import psutil
from botocore.config import Config

import local_sagemaker
from bench.table import Row, seconds
from local_sagemaker import Connection

STARTS, JOBS, CALLS, CLIENTS, OBJECTS = 7, 7, 200, 64, 1000
OBJECT = bytes(160_000)
BODY = bytes(50_000)
THREADS = 10

REGISTRY = f"""
[images.bench]
python = "{sys.version_info.major}.{sys.version_info.minor}"
train = ["train.py"]
serve = ["serve.py"]
uris = ['bench$']
"""
TRAIN = "import time; print(time.time(), flush=True)"
SERVE = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments):
        pass

print(os.environ["SAGEMAKER_BIND_TO_PORT"], flush=True)
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


@contextmanager
def _workspace() -> Iterator[tuple[Path, Path]]:
    """A new workspace and the registry of an image with the smallest programs there are."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        registry = root / "images.toml"
        registry.write_text(REGISTRY)
        (root / "train.py").write_text(TRAIN)
        (root / "serve.py").write_text(SERVE)
        environments = {"LABS_IMAGES_DIR": str(root / "environments")}
        with patch.dict(os.environ, environments):
            try:
                yield root / "workspace", registry
            finally:
                local_sagemaker.stop(root / "workspace")


def _client(connection: Connection, service: str) -> Any:
    keys = {"aws_access_key_id": connection.access_key_id, "aws_secret_access_key": connection.secret_access_key}
    config = Config(max_pool_connections=CLIENTS)
    session = boto3.Session(region_name=connection.region)
    return session.client(service, endpoint_url=connection.endpoint_url, config=config, **keys)


def run() -> list[Row]:
    with _workspace() as (workspace, registry):
        rows = _starts(workspace, registry)
        connection = local_sagemaker.start(workspace, registry)
        rows += [_first_lines(connection), *_calls(connection), *_objects(connection)]
        rows.append(Row("embedded: memory with 1,000 objects", [_memory(connection)], "MB", "<= 200 MB"))
        rows.append(_restart(workspace, registry))
        return rows


def _starts(workspace: Path, registry: Path) -> list[Row]:
    opened, answered = [], []
    for _ in range(STARTS):
        started = time.perf_counter()
        connection = local_sagemaker.start(workspace, registry)
        opened.append(time.perf_counter() - started)
        _client(connection, "s3").list_buckets()
        answered.append(time.perf_counter() - started)
        local_sagemaker.stop(workspace)
    return [
        Row("embedded: start() to the port open and answering", opened, "s", "<= 1.5 s"),
        Row("embedded: start() to the first answer of S3", answered, "s"),
    ]


def _job(connection: Connection, name: str) -> float:
    """Seconds from CreateTrainingJob to the program's first line."""
    sagemaker, logs = _client(connection, "sagemaker"), _client(connection, "logs")
    asked = time.time()
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "bench", "TrainingInputMode": "File"},
        RoleArn=connection.role_arn,
        OutputDataConfig={"S3OutputPath": f"s3://{connection.bucket}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    group = "/aws/sagemaker/TrainingJobs"
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"][0]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    return float(events[-1]["message"]) - asked


def _first_lines(connection: Connection) -> Row:
    _job(connection, "warm-up")  # builds the image
    samples = [_job(connection, f"job-{number}") for number in range(JOBS)]
    return Row("embedded: CreateTrainingJob to the first line", samples, "s", "<= 1 s")


def _calls(connection: Connection) -> list[Row]:
    sagemaker, runtime, logs = (_client(connection, name) for name in ("sagemaker", "sagemaker-runtime", "logs"))
    name = "bench"
    container = {"Image": "bench"}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=connection.role_arn)
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    port = logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")["events"][-1]["message"]
    direct = http.client.HTTPConnection("127.0.0.1", int(port))

    def invoke(_: int = 0) -> float:
        return seconds(lambda: runtime.invoke_endpoint(EndpointName=name, Body=BODY)["Body"].read())

    def ask() -> None:
        direct.request("POST", "/invocations", BODY)
        direct.getresponse().read()

    invoke(), ask()
    pairs = [(invoke(), seconds(ask)) for _ in range(CALLS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        crowd = sorted(pool.map(invoke, range(CLIENTS * 10)))
    return [
        Row("embedded: InvokeEndpoint, 50 KB", [1000 * called for called, _ in pairs], "ms"),
        Row("embedded: InvokeEndpoint less the model's time", [1000 * (c - d) for c, d in pairs], "ms", "<= 10 ms"),
        Row("embedded: 64 clients, p99 of InvokeEndpoint", [1000 * crowd[int(len(crowd) * 0.99)]], "ms"),
    ]


def _objects(connection: Connection) -> list[Row]:
    s3 = _client(connection, "s3")
    keys = [f"bench/{number:05}.png" for number in range(OBJECTS)]
    with ThreadPoolExecutor(THREADS) as pool:
        up = seconds(
            lambda: list(pool.map(lambda k: s3.put_object(Bucket=connection.bucket, Key=k, Body=OBJECT), keys))
        )
        down = seconds(
            lambda: list(pool.map(lambda k: s3.get_object(Bucket=connection.bucket, Key=k)["Body"].read(), keys))
        )
    return [
        Row("embedded: uploads of 160 KB, 10 threads", [OBJECTS / up], "/s", ">= 200 /s"),
        Row("embedded: downloads of 160 KB, 10 threads", [OBJECTS / down], "/s", ">= 200 /s"),
    ]


def _memory(connection: Connection) -> float:
    return psutil.Process(connection.pid).memory_info().rss / 1e6


def _restart(workspace: Path, registry: Path) -> Row:
    def again() -> None:
        connection = local_sagemaker.start(workspace, registry)
        _client(connection, "s3").head_object(Bucket=connection.bucket, Key="bench/00000.png")

    samples = []
    for _ in range(3):
        local_sagemaker.stop(workspace)
        samples.append(seconds(again))
    return Row("embedded: restart with 1,000 objects, first answer", samples, "s", "<= 2 s")
