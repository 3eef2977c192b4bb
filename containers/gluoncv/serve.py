"""`serve`: SageMaker starts this program in the serving container."""

import os
import sys

from flask import Flask
from PIL import Image
from sagemaker_contract import Environment
from sagemaker_contract.serving import JSON, create_app, serve

CONTENT_TYPES = ("application/x-image", "image/jpeg", "image/png", JSON)


def load() -> Flask:
    """The application around the model in /opt/ml/model."""
    from ssd import compat

    compat.prepare()
    from detection.options import defaults
    from ssd.predictor import Predictor

    predictor = Predictor(Environment.load().model_dir)
    options = defaults(os.environ)
    return create_app(
        lambda body, kind, attributes: predictor.predict(_picture(body, kind), options.updated(attributes)),
        CONTENT_TYPES,
    )


def _picture(body: bytes, kind: str) -> Image.Image:
    from detection.decoding import decode, decode_array

    return decode_array(body) if kind == JSON else decode(body)


if __name__ == "__main__":
    sys.exit(serve(load))
