"""`serve`: SageMaker starts this program in the serving container."""

import os
import sys

# Before torch loads OpenMP: on a busy machine its threads otherwise burn the processors while they wait.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from flask import Flask
from sagemaker_contract import Environment
from sagemaker_contract.serving import create_app, serve

CONTENT_TYPES = ("application/x-image", "image/jpeg", "image/png")


def load() -> Flask:
    """The application around the model in /opt/ml/model."""
    from detector import compat

    compat.prepare()
    from detection.decoding import decode
    from detection.options import defaults
    from detector.predictor import Predictor

    predictor = Predictor(Environment.load().model_dir)
    options = defaults(os.environ)
    return create_app(
        lambda body, kind, attributes: predictor.predict(decode(body), options.updated(attributes)), CONTENT_TYPES
    )


if __name__ == "__main__":
    sys.exit(serve(load))
