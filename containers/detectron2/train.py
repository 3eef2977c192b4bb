"""`train`: SageMaker starts this program in the training container."""

import os
import sys

# Before torch loads OpenMP: on a busy machine its threads otherwise burn the processors while they wait.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from sagemaker_contract import Environment, StopRequest, run


def main(environment: Environment, stop: StopRequest) -> None:
    """Check the arguments before the frameworks are imported, then train."""
    from detection.argument_types import effective
    from detector import arguments, compat

    parsed = arguments.parse(environment, sys.argv[1:])
    environment = effective(environment, parsed)
    compat.prepare()
    from detector import distributed, job

    distributed.start(job.run, environment, parsed, stop)


if __name__ == "__main__":
    sys.exit(run(main))
