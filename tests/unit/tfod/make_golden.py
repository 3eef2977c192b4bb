"""Makes the golden files with TensorFlow's own writer; run by a Python that has tensorflow-cpu==2.15.1.

    PYTHON make_golden.py FOLDER

FOLDER gets `framing.tfrecord`, whose records are `payloads.PAYLOADS`, and `examples.tfrecord`, whose records are
`payloads.EXAMPLES` as TensorFlow serialises them.
"""

import sys
from pathlib import Path

import tensorflow as tf
from payloads import EXAMPLES, PAYLOADS


def feature(kind, values):
    if kind == "bytes":
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if kind == "float":
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def example(features):
    named = {key: feature(kind, values) for key, (kind, values) in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString(deterministic=True)


def main(folder):
    for name, contents in (("framing", PAYLOADS), ("examples", map(example, EXAMPLES))):
        with tf.io.TFRecordWriter(str(folder / f"{name}.tfrecord")) as writer:
            for content in contents:
                writer.write(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
