"""The hosts of a training job: their names, and how programs on one machine find each other."""

from __future__ import annotations

import socket
import threading
from typing import Any

MAX_HOSTS = 4
_ADDRESS = "127.0.0.1"
_GROUP = "homogeneousCluster"
_given: set[int] = set()
_lock = threading.Lock()


class Cluster:
    """``count`` hosts called algo-1 ... that all are this machine.

    Their names resolve nowhere, and two jobs may not meet at one port. So several hosts are told in MASTER_ADDR and
    MASTER_PORT, the variables of torch.distributed, where to meet: a port of this machine for this job alone.
    """

    def __init__(self, count: int, instance_type: str) -> None:
        self.names = tuple(f"algo-{number}" for number in range(1, count + 1))
        self._instance_type = instance_type
        self._port = _free_port() if count > 1 else None

    def resources(self, host: int) -> dict[str, Any]:
        """resourceconfig.json of host number ``host``, from 0."""
        names = list(self.names)
        group = {"instance_group_name": _GROUP, "instance_type": self._instance_type, "hosts": names}
        return {
            "current_host": names[host],
            "current_instance_type": self._instance_type,
            "current_group_name": _GROUP,
            "hosts": names,
            "instance_groups": [group],
            "network_interface_name": "lo",
        }

    def environ(self) -> dict[str, str]:
        """The variables with the meeting point."""
        return {} if self._port is None else {"MASTER_ADDR": _ADDRESS, "MASTER_PORT": str(self._port)}

    def drivers(self) -> dict[str, str]:
        """What to replace in the SageMaker SDK's scripts, which meet at algo-1:7777."""
        if self._port is None:
            return {}
        return {
            'SM_MASTER_ADDR = "algo-1"': f'SM_MASTER_ADDR = "{_ADDRESS}"',
            "SM_MASTER_PORT = 7777": f"SM_MASTER_PORT = {self._port}",
        }

    def close(self) -> None:
        """Let the port go."""
        with _lock:
            _given.discard(self._port or 0)


def _free_port() -> int:
    """A port that nothing listens at and no other job was given."""
    with _lock:
        while True:
            with socket.socket() as probe:
                probe.bind((_ADDRESS, 0))
                port = int(probe.getsockname()[1])
            if port not in _given:
                _given.add(port)
                return port
