"""kill -9 at random points, restart, and see whether all that was acknowledged is there and all else has ended."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from botocore.client import BaseClient
from contract.cloud import Cloud, archive, until

import local_sagemaker
from crash.jobs import Jobs, TransformJobs, TuningJobs
from crash.objects import Objects

LONGEST = 2.0  # seconds from the start of the work to the kill
UPLOADERS = 3


class Suite:
    """One workspace that is killed again and again."""

    def __init__(self, workspace: Path, images: Path, connect: Callable[..., BaseClient], seed: int) -> None:
        self._workspace, self._images, self._connect = workspace, images, connect
        self._random = random.Random(seed)
        self._objects = [Objects(f"crash-objects-{number}", seed + number) for number in range(UPLOADERS)]
        self._kinds = {"training": Jobs(), "tuning": TuningJobs(), "transform": TransformJobs()}
        self._cloud = self._start()
        self._endpoint = self._cloud.deploy(archive({"w": b"w"}))
        self._cloud.wait_endpoint(self._endpoint)

    def run(self, points: int) -> list[str]:
        """Kill the server at so many points; what was wrong afterwards, a line for each point that failed."""
        phases = [*["upload", *self._kinds] * (points // 4 + 1)][:points]
        self._random.shuffle(phases)
        failures = []
        for number, phase in enumerate(phases, 1):
            delay = self._random.uniform(0, LONGEST)
            label = f"point {number}/{points}: {phase}, killed after {delay:.3f} s"
            try:
                self._crash(phase, delay)
                print(f"{label}: survived, {self._check()}", flush=True)
            except Exception as error:
                failures.append(f"{label}: {type(error).__name__}: {error}")
                print(failures[-1], flush=True)
        return failures

    def _start(self) -> Cloud:
        return Cloud(local_sagemaker.start(self._workspace, self._images), self._connect)

    def _crash(self, phase: str, delay: float) -> None:
        """Work, kill the server in the midst of it, start it again."""
        stop = threading.Event()
        uploaders = self._objects if phase == "upload" else self._objects[:1]
        works = [*uploaders, *([self._kinds[phase]] if phase in self._kinds else [])]
        threads = [threading.Thread(target=work.work, args=(self._fresh(), stop), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        time.sleep(delay)
        server = psutil.Process(self._cloud.connection.pid)
        os.kill(server.pid, signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "a request hangs after the server's death"
        self._cloud = self._start()

    def _fresh(self) -> Cloud:
        """Clients of their own for a thread."""
        return Cloud(self._cloud.connection, self._connect)

    def _check(self) -> str:
        objects = sum(work.check(self._cloud) for work in self._objects)
        jobs = sum(kind.check(self._cloud) for kind in self._kinds.values())
        strays = self._processes()
        assert not strays, f"processes are left: {strays}"
        assert self._cloud.invoke(self._endpoint, b"alive") == b"alive"
        self._check_files()
        return f"{objects} objects, {jobs} jobs"

    def _check_files(self) -> None:
        """Every object has its file, and there is no other."""

        def settled() -> bool:
            pages = self._cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=self._cloud.bucket)
            return sum(page["KeyCount"] for page in pages) == len(list((self._workspace / "s3" / "blobs").glob("??/*")))

        until(settled)
        assert not list((self._workspace / "records").rglob("*.tmp")), "temporary files are left"

    def _processes(self) -> list[str]:
        """Programs of this workspace's jobs that still run."""
        found = []
        for process in psutil.process_iter():
            try:
                folder = process.environ().get("SAGEMAKER_BASE_DIR", "")
                if Path(folder).is_relative_to(self._workspace / "jobs") and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} in {folder}")
            except psutil.Error:
                continue
        return found
