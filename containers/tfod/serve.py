"""`serve`: SageMaker starts this program in the serving container."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from flask import Flask
from sagemaker_contract import Environment
from sagemaker_contract.serving import JSON, create_app, serve

CONTENT_TYPES = ("application/x-image", "image/jpeg", "image/png", JSON)


def load() -> Flask:
    """The application around the model in /opt/ml/model."""
    from pipeline import compat

    compat.prepare()
    from detection.decoding import decode, decode_array
    from detection.options import defaults
    from pipeline import requests
    from pipeline.predictor import Predictor

    predictor = Predictor(Environment.load().model_dir)
    options = defaults(os.environ)

    def predict(body: bytes, kind: str, attributes: Mapping[str, str]) -> Any:
        wanted = options.updated(attributes)
        instances = requests.instances(body) if kind == JSON else None
        if instances is not None:
            return requests.predictions([predictor.raw(picture) for picture in instances])
        picture = decode_array(body) if kind == JSON else decode(body)
        return predictor.predict(picture, wanted)

    return create_app(predict, CONTENT_TYPES)


if __name__ == "__main__":
    sys.exit(serve(load))
