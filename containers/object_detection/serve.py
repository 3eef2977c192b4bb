"""`serve`: SageMaker starts this program in the serving container."""

import sys
from typing import Any

from flask import Flask
from sagemaker_contract import Environment
from sagemaker_contract.serving import JSON, JSON_LINES, create_app, serve

CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")


def load() -> Flask:
    """The application around the model in /opt/ml/model."""
    from ssd import compat

    compat.prepare()
    from detection.decoding import decode
    from detection.options import Options
    from ssd.predictor import Predictor

    predictor = Predictor(Environment.load().model_dir)
    return create_app(
        lambda body, kind, attributes: answer(predictor.predict(decode(body), Options())),
        CONTENT_TYPES,
        accepts=(JSON, JSON_LINES),
    )


def answer(found: dict[str, Any]) -> dict[str, Any]:
    """`{"prediction": [[class, score, xmin, ymin, xmax, ymax], ...]}`, corners as ratios of width and height.

    Source: "Object Detection Request and Response Formats" in SageMaker's documentation.
    """
    size = [found["image_width"], found["image_height"]] * 2
    rows = zip(found["pred_classes"], found["scores"], found["pred_boxes"], strict=True)
    return {
        "prediction": [
            [float(class_id), score, *(end / side for end, side in zip(box, size, strict=True))]
            for class_id, score, box in rows
        ]
    }


if __name__ == "__main__":
    sys.exit(serve(load))
