"""SageMaker's container contract, free of any framework: what every image's programs share.

`environment` is a read-only snapshot of /opt/ml, `program` runs a training program under the contract
(failure file, exit codes, SIGTERM), `serving` answers /ping, /invocations and /execution-parameters.
"""

from .environment import Environment
from .errors import UserError
from .program import StopRequest, run

__all__ = ["Environment", "StopRequest", "UserError", "run"]
