"""From start() of a new workspace to the first answers."""

import time

import local_sagemaker
from bench.emulator import client, new_workspace
from bench.table import Row

STARTS = 7


def run() -> list[Row]:
    opened, answered = [], []
    with new_workspace() as (workspace, registry):
        for _ in range(STARTS):
            started = time.perf_counter()
            connection = local_sagemaker.start(workspace, registry)
            opened.append(time.perf_counter() - started)
            client(connection, "s3").list_buckets()
            answered.append(time.perf_counter() - started)
            local_sagemaker.stop(workspace)
    return [
        Row("embedded: start() to the port open and answering", opened, "s", "<= 1.5 s"),
        Row("embedded: start() to the first answer of S3", answered, "s"),
    ]
