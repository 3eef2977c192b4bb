"""5,000 objects of 160 KB, as a data set of images has them: up, down, the server's memory, a restart with them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

import local_sagemaker
from bench.emulator import client, new_workspace
from bench.table import Row, seconds
from local_sagemaker import Connection

OBJECTS, SIZE, THREADS, RESTARTS = 5000, 160_000, 10, 3


def run() -> list[Row]:
    with new_workspace() as (workspace, registry):
        connection = local_sagemaker.start(workspace, registry)
        rows = _transfer(connection)
        rows.append(Row(f"embedded: memory with {OBJECTS:,} objects", [_memory(connection)], "MB", "<= 200 MB"))
        rows.append(_restart(workspace, registry))
        return rows


def _transfer(connection: Connection) -> list[Row]:
    s3, bucket, body = client(connection, "s3"), connection.bucket, os.urandom(SIZE)
    keys = [f"bench/{number:05}.png" for number in range(OBJECTS)]

    def rate(call: Callable[[str], object]) -> float:
        with ThreadPoolExecutor(THREADS) as pool:
            return OBJECTS / seconds(lambda: list(pool.map(call, keys)))

    def get(key: str) -> None:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body

    def list_all() -> None:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="bench/")
        assert sum(page["KeyCount"] for page in pages) == OBJECTS

    up = rate(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=body))
    return [
        Row("embedded: uploads of 160 KB, 10 threads", [up], "/s", ">= 200 /s"),
        Row("embedded: downloads of 160 KB, 10 threads", [rate(get)], "/s", ">= 200 /s"),
        Row(f"embedded: listing {OBJECTS:,} objects", [seconds(list_all)], "s"),
    ]


def _memory(connection: Connection) -> float:
    return psutil.Process(connection.pid).memory_info().rss / 1e6


def _restart(workspace: Path, registry: Path) -> Row:
    def again() -> None:
        connection = local_sagemaker.start(workspace, registry)
        client(connection, "s3").head_object(Bucket=connection.bucket, Key="bench/00000.png")

    samples = []
    for _ in range(RESTARTS):
        local_sagemaker.stop(workspace)
        samples.append(seconds(again))
    return Row(f"embedded: restart with {OBJECTS:,} objects, first answer", samples, "s", "<= 2 s")
