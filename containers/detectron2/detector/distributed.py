"""Start training on every GPU of every host, or as one process a host on CPU."""

import argparse
import gc
import multiprocessing
import os
from collections.abc import Callable

import torch
from detectron2.engine import launch
from detectron2.utils import comm
from sagemaker_contract import Environment, StopRequest, UserError

PORT = 55555


def pick_device(wanted: str) -> str:
    """`auto` to `cuda` if there is a GPU, else `cpu`. Raises UserError when a GPU is wanted and there is none."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: this machine has no GPU that torch can use; auto or cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def start(
    train: Callable[..., None], environment: Environment, arguments: argparse.Namespace, stop: StopRequest
) -> None:
    """Call `train(arguments, environment, stop)` in every process of this host.

    The hosts meet at the first one's address; MASTER_ADDR and MASTER_PORT override it, which several
    hosts on one machine need.
    """
    hosts, rank = len(environment.hosts), environment.host_rank
    address = os.environ.get("MASTER_ADDR", environment.hosts[0])
    url = f"tcp://{address}:{os.environ.get('MASTER_PORT', PORT)}"
    if pick_device(arguments.device) == "cuda":
        gpus = arguments.num_gpus or environment.num_gpus or torch.cuda.device_count()
        if gpus * hosts > 1:
            stop.forward = _stop_workers
            launch(train, gpus, hosts, rank, url if hosts > 1 else "auto", (arguments, environment))
            return
    elif hosts > 1:
        _join_on_cpu(url, hosts, rank)
        train(arguments, environment, stop)
        _leave()
        return
    train(arguments, environment, stop)


def wrap(model: torch.nn.Module) -> torch.nn.Module:
    """The model as it trains in this process: with averaged gradients if there are several processes."""
    if comm.get_world_size() == 1:
        return model
    devices = [torch.cuda.current_device()] if next(model.parameters()).is_cuda else None
    return torch.nn.parallel.DistributedDataParallel(model, device_ids=devices)


def _stop_workers() -> None:
    for process in multiprocessing.active_children():
        process.terminate()


def _join_on_cpu(url: str, hosts: int, rank: int) -> None:
    # detectron2's launch insists on CUDA.
    torch.distributed.init_process_group("gloo", url, rank=rank, world_size=hosts)
    groups = [torch.distributed.new_group([host]) for host in range(hosts)]
    comm._LOCAL_PROCESS_GROUP = groups[rank]


def _leave() -> None:
    """End the group with its threads. One that still runs while Python ends may abort the process (exit code 134)."""
    comm._LOCAL_PROCESS_GROUP = None
    comm._get_global_gloo_group.cache_clear()
    gc.collect()  # the model that was trained holds the group too
    torch.distributed.destroy_process_group()
