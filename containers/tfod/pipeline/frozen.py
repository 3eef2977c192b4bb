"""SavedModels of one function."""

from pathlib import Path
from typing import Any

import tensorflow as tf


def save(function: Any, folder: Path, *specs: tf.TensorSpec) -> None:
    """Write a tf.function as the signature `serving_default`, for inputs of these specs (default: its own signature).

    Without AutoGraph, which the API's code does not need: it takes half of the time.
    With its variables alone: given the whole model, Keras would trace and write each of its layers once more, which
    takes a minute or two, and serving reads none of that.
    """
    plain = tf.function(function.python_function, input_signature=function.input_signature, autograph=False)
    concrete = plain.get_concrete_function(*specs)
    module = tf.Module()
    module.weights = list(concrete.graph.variables)
    tf.saved_model.save(module, str(folder), signatures=concrete)
