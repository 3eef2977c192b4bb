"""Let MXNet 1.9.1 and GluonCV 0.10.5 run with NumPy 1.20 and later. Call `prepare()` before importing either."""

import os
import warnings

import numpy as np

# Before MXNet loads OpenMP: on a busy machine its threads otherwise burn the processors while they wait.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def prepare() -> None:
    """Give NumPy the aliases of Python's types back that MXNet uses, and silence what no user can change."""
    for kind in (bool, int, float, object, complex, str):
        if kind.__name__ not in vars(np):
            setattr(np, kind.__name__, kind)
    warnings.filterwarnings("ignore", module=r"(mxnet|gluoncv)\b")
