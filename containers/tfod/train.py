"""`train`: SageMaker starts this program in the training container."""

import sys

from sagemaker_contract import Environment, StopRequest, run


def main(environment: Environment, stop: StopRequest) -> None:
    """Check the arguments before the frameworks are imported, then train."""
    from detection.argument_types import effective
    from pipeline import arguments, compat

    parsed = arguments.parse(environment, sys.argv[1:])
    environment = effective(environment, parsed)
    compat.prepare()
    from pipeline import job

    job.run(parsed, environment, stop)


if __name__ == "__main__":
    sys.exit(run(main))
