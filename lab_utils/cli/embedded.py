"""The embedded SageMaker's errors, told like this command's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab_utils.errors import LabError


@contextmanager
def told() -> Iterator[None]:
    """Raise LabError for what the embedded SageMaker cannot do: start, read its registry, build an image."""
    from local_sagemaker import ServerError
    from local_sagemaker.images import ImageError

    try:
        yield
    except (ServerError, ImageError) as error:
        raise LabError(str(error)) from error
