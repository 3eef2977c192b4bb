"""Training on several GPUs or hosts: which of TensorFlow's distribution strategies, and where the hosts meet."""

import json
import os

import tensorflow as tf
from sagemaker_contract import Environment

PORT = 55555


def strategy(environment: Environment) -> tf.distribute.Strategy:
    """MultiWorkerMirroredStrategy for several hosts, MirroredStrategy for several GPUs, else the default one.

    To be called before TensorFlow does anything else. The hosts meet at their own names; MASTER_ADDR and MASTER_PORT
    override that, which several hosts on one machine need: each takes the port after the one before's.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    if len(environment.hosts) > 1:
        os.environ["TF_CONFIG"] = json.dumps(
            {"cluster": {"worker": _addresses(environment)}, "task": {"type": "worker", "index": environment.host_rank}}
        )
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _addresses(environment: Environment) -> list[str]:
    port, address = int(os.environ.get("MASTER_PORT", PORT)), os.environ.get("MASTER_ADDR")
    if address:
        return [f"{address}:{port + rank}" for rank in range(len(environment.hosts))]
    return [f"{host}:{port}" for host in environment.hosts]
