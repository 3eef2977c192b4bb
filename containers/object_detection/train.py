"""`train`: SageMaker starts this program in the training container."""

import sys

from sagemaker_contract import Environment, StopRequest, run


def main(environment: Environment, stop: StopRequest) -> None:
    """Check the hyperparameters before the frameworks are imported, then train."""
    from builtin import hyperparameters, log
    from ssd import compat

    log.start()
    settings = hyperparameters.parse(environment.hyperparameters)
    compat.prepare()
    from builtin import job

    job.run(settings, environment, stop)


if __name__ == "__main__":
    sys.exit(run(main))
