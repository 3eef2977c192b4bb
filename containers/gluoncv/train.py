"""`train`: SageMaker starts this program in the training container."""

import sys
from importlib import import_module

from sagemaker_contract import Environment, StopRequest, run
from sagemaker_contract.hyperparameters import to_argv

PACKAGES = {"detection": "ssd", "tracking": "siamrpn"}  # by the hyperparameter `task`


def main(environment: Environment, stop: StopRequest) -> None:
    """Check the arguments before the frameworks are imported, then train."""
    from ssd import compat

    package = PACKAGES[_task(environment)]
    parsed = import_module(f"{package}.arguments").parse(environment, sys.argv[1:])
    compat.prepare()
    import_module(f"{package}.job").run(parsed, environment, stop)


def _task(environment: Environment) -> str:
    from detection.argument_types import Parser

    parser = Parser(prog="train", allow_abbrev=False, add_help=False)
    parser.add_argument("--task", choices=PACKAGES, default="detection")
    return parser.parse_known_args([*to_argv(environment.hyperparameters), *sys.argv[1:]])[0].task


if __name__ == "__main__":
    sys.exit(run(main))
