"""The installer of the Object Detection API: message modules of protobuf 3 become modules of protobuf 4."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[3] / "containers/tfod/install.py"
OLD = r"""
from google.protobuf import descriptor as _descriptor
from google.protobuf import reflection as _reflection
from object_detection.protos import b_pb2 as object__detection_dot_protos_dot_b__pb2

DESCRIPTOR = _descriptor.FileDescriptor(
  name='a.proto',
  create_key=_descriptor._internal_create_key,
  serialized_pb=b'\n\x07\x61.proto\"\x13\n\x01\x41\x12\x0e\n\x06name\'s\x18\x01 \x01(\t'
  ,
  dependencies=[object__detection_dot_protos_dot_b__pb2.DESCRIPTOR,])
_A = _descriptor.Descriptor(name='A')
"""


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_tfod", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_module_keeps_its_descriptor_and_its_imports_only(install: ModuleType) -> None:
    new = install.renewed(OLD, "object_detection.protos.a_pb2")
    compile(new, "a_pb2.py", "exec")
    assert "from object_detection.protos import b_pb2 as object__detection_dot_protos_dot_b__pb2\n" in new
    expected = b"\n\x07a.proto\"\x13\n\x01A\x12\x0e\n\x06name's\x18\x01 \x01(\t"
    assert f"AddSerializedFile({expected!r})" in new
    assert "builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, 'object_detection.protos.a_pb2', globals())" in new
    assert "_reflection" not in new
