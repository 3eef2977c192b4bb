"""An SSD model as an ONNX file, checked against TensorFlow."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from object_detection.core.model import DetectionModel

OPSET = 15
LARGEST_DIFFERENCE = 1e-3


def write(path: Path, model: DetectionModel, classes: int) -> str:
    """Write an SSD model of so many classes; returns a line about it.

    It takes RGB pixels 0..255 as float32 [1, H, W, 3] in the network's own size and answers boxes [N, 4] (ymin, xmin,
    ymax, xmax as shares) and scores [N, classes] of all N anchors. Suppression is left to the reader: the API's loops
    over classes become hundreds of nodes that few runtimes take.
    """
    import onnxruntime
    import tf2onnx

    sample = np.random.default_rng(0).uniform(0, 255, _shape(model)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec(sample.shape, tf.float32, name="pixels")])
    def answers(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        image, shapes = model.preprocess(pixels)
        predicted = model.predict(image, shapes)
        scores = tf.nn.sigmoid(predicted["class_predictions_with_background"][0])
        boxes, _ = model._batch_decode(predicted["box_encodings"], model.anchors.get())
        return {"boxes": boxes[0], "scores": scores[:, -classes:]}

    expected = answers(sample)
    temporary = path.with_name(f".{path.name}")
    tf2onnx.convert.from_function(answers, answers.input_signature, opset=OPSET, output_path=str(temporary))
    session = onnxruntime.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"pixels": sample}), strict=True))
    difference = max(float(np.abs(found[name] - expected[name].numpy()).max()) for name in expected)
    if not difference <= LARGEST_DIFFERENCE:
        raise RuntimeError(f"{path.name} differs from TensorFlow by {difference:g}, at most {LARGEST_DIFFERENCE}")
    temporary.replace(path)
    _, height, width, _ = sample.shape
    return f"input {width}x{height}, differs from TensorFlow by {difference:.1g}"


def _shape(model: DetectionModel) -> tuple[int, ...]:
    """[1, H, W, 3] of what the network sees of a picture."""
    image, _ = model.preprocess(tf.zeros([1, 64, 64, 3]))
    return tuple(image.shape)
