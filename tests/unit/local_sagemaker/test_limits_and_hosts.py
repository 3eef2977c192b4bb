"""Limits of jobs as the environment words them; hosts on one machine; who decides how a job of several ended."""

import importlib.util
import os
import threading
from pathlib import Path

import pytest

from local_sagemaker.jobs.cluster import Cluster
from local_sagemaker.jobs.limits import CPUS, MEMORY, Limits
from local_sagemaker.jobs.process import Outcome
from local_sagemaker.jobs.together import Program, Together


@pytest.mark.parametrize(
    ("text", "size"),
    [("1000", 1000), ("4GB", 4 << 30), ("512 mb", 512 << 20), ("1.5G", 3 << 29), ("2KiB", 2048), ("", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    assert Limits.read({MEMORY: text}) == Limits(memory=size)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_cpus_are_given_in_turn_and_given_back() -> None:
    here = os.sched_getaffinity(0)
    limits, seen = Limits.read({CPUS: "1"}), set()
    for _ in range(len(here)):
        with limits.applied():
            seen |= os.sched_getaffinity(0)
            assert len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(0) == here
    assert seen == here


def test_clusters_meet_at_ports_of_their_own() -> None:
    clusters = [Cluster(2, "ml.m5.large") for _ in range(20)]
    assert len({cluster.environ()["MASTER_PORT"] for cluster in clusters}) == 20
    assert Cluster(1, "ml.m5.large").environ() == {}
    for cluster in clusters:
        cluster.close()


def test_the_sdks_drivers_are_as_they_are_rewritten() -> None:
    spec = importlib.util.find_spec("sagemaker.train.container_drivers.scripts.environment")
    assert spec is not None
    source = Path(spec.origin).read_text()
    assert all(old in source for old in Cluster(2, "ml.m5.large").drivers())


def ends(outcome: Outcome | Exception, seconds: float = 0) -> Program:
    """A program that ends so by itself after some time, or stopped when it is told to stop."""

    def run(stop: threading.Event) -> Outcome:
        if stop.wait(seconds):
            return Outcome(-15, "stopped")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Program(run, lambda: None)


DONE, BROKEN = Outcome(0, "exited"), Outcome(3, "exited")


def test_all_hosts_must_end_well() -> None:
    assert Together(threading.Event()).run([ends(DONE), ends(DONE, 0.1)]) == (1, DONE)


@pytest.mark.parametrize("bad", [BROKEN, Outcome(-9, "memory")])
def test_the_first_that_fails_decides(bad: Outcome) -> None:
    assert Together(threading.Event()).run([ends(DONE), ends(DONE, 60), ends(bad, 0.1)]) == (2, bad)


def test_an_error_of_one_host_is_raised_when_all_have_ended() -> None:
    with pytest.raises(ValueError, match="broken"):
        Together(threading.Event()).run([ends(DONE, 60), ends(ValueError("broken"))])


def test_a_broken_pipe_ends_the_job_even_before_it_starts() -> None:
    together = Together(threading.Event())
    together.fail(ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        together.run([ends(DONE, 60)])


def test_stop() -> None:
    stop = threading.Event()
    stop.set()
    assert Together(stop).run([ends(DONE, 60), ends(DONE, 60)])[1] == Outcome(-15, "stopped")
