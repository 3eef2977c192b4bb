"""An embedded SageMaker: AWS's API on loopback, whose jobs really run as processes of this machine.

>>> import local_sagemaker
>>> connection = local_sagemaker.start(workspace, images)  # doctest: +SKIP
>>> os.environ.update(connection.environ())  # doctest: +SKIP
"""

from local_sagemaker.lifecycle import connection, start, status, stop
from local_sagemaker.workspace import Connection, ServerError

__all__ = ["Connection", "ServerError", "connection", "start", "status", "stop"]
