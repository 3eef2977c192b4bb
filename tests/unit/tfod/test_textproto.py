"""The text form of protocol buffers; protobuf's own parser is the oracle where it has a schema for it."""

import pytest
from google.protobuf import struct_pb2, text_format, wrappers_pb2

from lab_utils.errors import DataError
from lab_utils.tfod import textproto
from lab_utils.tfod.textproto import Message, Name, parse

CONFIG = """
# a comment { "
model { ssd { num_classes: 3 feature_extractor: { type: 'a' "b" } } }  # another
train_config <
  batch_size: 8; use_bfloat16: true, optimizer { value: -1.5e-3 }
  scales: [0.5, 1, 2.0f]
  score_converter: SIGMOID
  input_path: "x"
  input_path: "y"
>
[object_detection.protos.Ssd.extra] { depth: 0x1F mode: 017 small: .5 most: -inf }
"""


def test_values_are_found_by_path() -> None:
    tree = parse(CONFIG)
    assert tree.get("model.ssd.num_classes") == 3
    assert tree.get("model.ssd.feature_extractor.type") == "ab"
    assert tree.get("train_config.use_bfloat16") is True
    assert tree.get("train_config.optimizer.value") == -1.5e-3
    assert [f.value for f in tree.get("train_config").all("scales")] == [0.5, 1, 2.0]
    assert tree.get("train_config.score_converter") == Name("SIGMOID")
    assert isinstance(tree.get("train_config.score_converter"), Name)
    assert tree.get("train_config.input_path") == "y"  # the last counts
    extra = tree.get("[object_detection.protos.Ssd.extra]") or tree.fields[-1].value
    assert [f.value for f in extra.fields] == [31, 15, 0.5, float("-inf")]
    assert tree.get("train_config.batch_size.nothing") is None
    assert tree.get("nothing", 7) == 7


def test_lines_are_known() -> None:
    tree = parse(CONFIG)
    assert tree.find("model.ssd.num_classes").line == 3
    assert tree.find("train_config.score_converter").line == 7


def test_what_is_written_is_read_again() -> None:
    tree = parse(CONFIG)
    again = parse(str(tree))
    assert str(again) == str(tree)
    assert again.get("train_config.input_path") == "y"


def test_set_and_remove() -> None:
    tree = Message()
    tree.set("a.b.c", 1)
    tree.set("a.b.c", 2)
    tree.set("a.d", "x")
    assert str(tree) == 'a {\n  b {\n    c: 2\n  }\n  d: "x"\n}\n'
    tree.remove("a.b")
    tree.remove("a.nothing.more")
    assert str(tree) == 'a {\n  d: "x"\n}\n'


@pytest.mark.parametrize(
    "text", ["plain", "it's", 'a "b"', "back\\slash", "line\nbreak\ttab", "Zürich 信号", "\x01\x7f", "", "#{}", "\\n"]
)
def test_strings_are_those_of_protobuf(text: str) -> None:
    value = struct_pb2.Value(string_value=text)
    for form in (text_format.MessageToString(value), text_format.MessageToString(value, as_utf8=True)):
        assert parse(form).get("string_value") == text
    assert text_format.Parse(f"string_value: {textproto.quoted(text)}", struct_pb2.Value()).string_value == text


@pytest.mark.parametrize("number", ["1", "-7", "1.5", "-1e-8", ".5", "1.", "1e3", "2.5f", "inf", "-infinity"])
def test_fractions_are_those_of_protobuf(number: str) -> None:
    assert parse(f"v: {number}").get("v") == text_format.Parse(f"value: {number}", wrappers_pb2.DoubleValue()).value


@pytest.mark.parametrize("number", ["0", "12", "-7", "0x1f", "-0X1F", "017"])
def test_integers_are_those_of_protobuf(number: str) -> None:
    assert parse(f"v: {number}").get("v") == text_format.Parse(f"value: {number}", wrappers_pb2.Int64Value()).value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a {\n b: 1", "c.config:2:6: expected a field's name; found the end"),
        ("a: ", "1:4: expected a value; found the end"),
        ("a 1", "1:3: expected ':' and a value, or '{'; found '1'"),
        ("a: 1 }", "1:6: expected a field's name; found '}'"),
        ('a: "x', "1:4: expected a field; found '\"'"),
        ("a: [1 2]", "1:7: expected ',' or ']'; found '2'"),
        ("a {\n\n}\n?", "4:1: expected a field; found '?'"),
        ("a < b: 1 }", "1:10: expected a field's name; found '}'"),
        ('a: "\\377"', "1:4: a string that is not UTF-8"),
        ("[a.b", "1:5: expected ']'; found the end"),
        ("a {" * 200, "messages nested more than 100 deep"),
        ('"a": 1', "expected a field's name"),
    ],
)
def test_mistakes_are_named_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        parse(text, "c.config")
    assert message in str(error.value)
    with pytest.raises(text_format.ParseError):
        text_format.Parse(text, struct_pb2.Struct())
