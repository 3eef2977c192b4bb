"""Requests in JSON: TensorFlow Serving's form, and an array of pixels as the other images take it."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from detection.decoding import decode, decode_array
from PIL import Image
from sagemaker_contract import UserError

Answer = Callable[[Image.Image], Any]


def instances(body: bytes) -> list[Image.Image] | None:
    """The pictures of `{"instances": [...]}`, each rows of pixels or `{"b64": "..."}`; None for another JSON text.

    The form is TensorFlow Serving's REST API's; it takes a picture also under the name of the model's only input.
    Raises UserError.
    """
    try:
        content = json.loads(body)
    except ValueError as error:
        raise UserError(f"not JSON ({error})") from error
    if not isinstance(content, dict):
        return None
    given = content.get("instances")
    if not isinstance(given, list) or not given:
        raise UserError('expected {"instances": [...]} with at least one picture')
    return [_picture(number, instance) for number, instance in enumerate(given)]


def _picture(number: int, instance: Any) -> Image.Image:
    if isinstance(instance, dict) and len(instance) == 1 and "b64" not in instance:
        (instance,) = instance.values()
    try:
        if isinstance(instance, dict) and isinstance(instance.get("b64"), str):
            return decode(base64.b64decode(instance["b64"], validate=True))
        return decode_array(json.dumps(instance).encode())
    except binascii.Error as error:
        raise UserError(f"instance {number}: not base64 ({error})") from error
    except UserError as error:
        raise UserError(f"instance {number}: {error}") from error


def predictions(found: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """TensorFlow Serving's answer."""
    return {"predictions": [{name: value.tolist() for name, value in each.items()} for each in found]}
