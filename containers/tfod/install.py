"""Install three packages into the environment that runs this program, without all that they ask for.

The TensorFlow Object Detection API and the TensorFlow Model Garden ask for TensorFlow I/O and Text, Kaggle's and
Google's clients and more, which what we train does not import: over a gigabyte. LVIS's opencv-python would come beside
the headless one, which needs no libGL. tf2onnx asks for protobuf 3, with whose messages in pure Python (there is no
other for Python 3.11) building and exporting a model takes twice as long. The API's own message modules were made for
protobuf 3, too: they are written anew from the descriptors that they carry, in the form that protoc gives them today.
"""

import ast
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGES = (
    "tf-models-research-object-detection==2.8.0.post1",
    "tf-models-official==2.15.0",
    "lvis==0.5.3",
    "tf2onnx==1.16.1",
)
MODULE = '''"""Generated protocol buffer code, renewed for protobuf 4."""
from google.protobuf import descriptor_pool
from google.protobuf.internal import builder
{imports}
DESCRIPTOR = descriptor_pool.Default().AddSerializedFile({content!r})
builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, {name!r}, globals())
'''


def renewed(text: str, name: str) -> str:
    """A generated module of protobuf 3 as one of protobuf 4; `name` is the module's."""
    content = ast.literal_eval(re.search(r"serialized_pb=(b'.*')", text)[1])
    imports = "\n".join(re.findall(r"^from \S+ import \w+_pb2 as \w+$", text, re.MULTILINE))
    return MODULE.format(imports=imports, content=content, name=name)


def main() -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*command, *PACKAGES], check=True)
    for path in Path(sysconfig.get_paths()["purelib"], "object_detection/protos").glob("*_pb2.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(renewed(text, f"object_detection.protos.{path.stem}"), encoding="utf-8")


if __name__ == "__main__":
    main()
