"""Training on several hosts through MXNet's key-value store: the first host also runs its scheduler and its server."""

import os
import subprocess
import sys
from collections.abc import Sequence

import mxnet as mx
import numpy as np
from sagemaker_contract import Environment

PORT = 9092
FIRST_KEY = 1_000_000  # a store takes numbers or names, not both; a trainer counts its parameters from 0


class Hosts:
    """The hosts of a job, as one of them sees them. `store` is what a Gluon trainer takes, None for a lone host."""

    def __init__(self, rank: int = 0, count: int = 1, store: mx.kvstore.KVStoreBase | None = None) -> None:
        self.rank, self.count, self.store = rank, count, store
        self._keys: dict[str, int] = {}

    def mean(self, name: str, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The mean over the hosts of each array; every host has to call it with the same `name` and shapes."""
        return [self._mean(f"{name}-{i}", array) for i, array in enumerate(arrays)] if self.store else list(arrays)

    def any(self, flag: bool) -> bool:
        """Whether it is true on any of the hosts."""
        return bool(self.mean("flag", [np.array([float(flag)])])[0][0] > 0)

    def average_norms(self, network: mx.gluon.HybridBlock) -> None:
        """Give every host the mean of the batch norms' statistics, which are not trained and so are not shared."""
        parameters = list(network.collect_params(".*running_(mean|var)").values())
        means = self.mean("norm", [parameter.list_data()[0].asnumpy() for parameter in parameters])
        for parameter, mean in zip(parameters, means, strict=True):
            parameter.set_data(mx.nd.array(mean))

    def _mean(self, key: str, array: np.ndarray) -> np.ndarray:
        value = mx.nd.array(array)
        number = self._keys.get(key)
        if number is None:
            number = self._keys[key] = FIRST_KEY + len(self._keys)
            self.store.init(number, mx.nd.zeros_like(value))
        self.store.push(number, value)  # without an optimizer of its own the server keeps the sum
        self.store.pull(number, value)
        return value.asnumpy() / self.count


def join(environment: Environment) -> Hosts:
    """Meet the other hosts at the first one's address; MASTER_ADDR and MASTER_PORT override it, which several hosts
    on one machine need."""
    count, rank = len(environment.hosts), environment.host_rank
    if count == 1:
        return Hosts()
    variables = {
        "DMLC_PS_ROOT_URI": os.environ.get("MASTER_ADDR", environment.hosts[0]),
        "DMLC_PS_ROOT_PORT": os.environ.get("MASTER_PORT", str(PORT)),
        "DMLC_NUM_WORKER": str(count),
        "DMLC_NUM_SERVER": "1",
    }
    if "MASTER_ADDR" in os.environ:
        variables["DMLC_NODE_HOST"] = os.environ["MASTER_ADDR"]
    else:
        variables["DMLC_INTERFACE"] = environment.network_interface
    if rank == 0:
        for role in ("scheduler", "server"):
            _start(role, variables)
    os.environ.update(variables, DMLC_ROLE="worker")
    return Hosts(rank, count, mx.kvstore.create("dist_sync"))


def _start(role: str, variables: dict[str, str]) -> None:
    # Importing MXNet is the whole program of these two, which end when the workers do. They stay in the job's process
    # group, to be killed with it, but a SIGTERM is the workers' to answer.
    code = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "from ssd import compat; compat.prepare()\n"
        "import mxnet"
    )
    environment = {**os.environ, **variables, "DMLC_ROLE": role, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.Popen([sys.executable, "-c", code], env=environment)
