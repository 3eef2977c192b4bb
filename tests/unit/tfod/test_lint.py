"""The linter: silent on what is right, and each mistake found once, with field, value and fix."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.tfod import label_map, pipeline, textproto
from lab_utils.tfod.label_map import Item
from lab_utils.tfod.lint import lint
from lab_utils.tfod.textproto import Field, Message, Name

SSD, RCNN = "ssd_mobilenet_v2_fpnlite_320", "faster_rcnn_resnet101_640"
COSINE = "train_config.optimizer.momentum_optimizer.learning_rate.cosine_decay_learning_rate"
RATE = "train_config.optimizer.momentum_optimizer.learning_rate"
EXTRACTOR = "model.ssd.feature_extractor"
FIXED = "model.ssd.image_resizer.fixed_shape_resizer"
KEEP = "model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer"
SECOND = "model.faster_rcnn.second_stage_post_processing.score_converter"
SQUARE = "train_config.data_augmentation_options.random_scale_crop_and_pad_to_square.output_size"
NMS = "model.ssd.post_processing.batch_non_max_suppression"


@pytest.fixture
def data(tmp_path):
    """Records, a label map of three classes and a checkpoint; their places."""
    label_map.write(tmp_path / "label_map.pbtxt", label_map.numbered(["vehicle", "pedestrian", "cyclist"]))
    for i in range(2):
        (tmp_path / f"train.tfrecord-0000{i}-of-00002").write_bytes(b"x")
    (tmp_path / "val.tfrecord").write_bytes(b"x")
    (tmp_path / "ckpt-0.index").touch()
    places = (f"{tmp_path}/{name}" for name in ("label_map.pbtxt", "train.tfrecord-?????-of-00002", "val.tfrecord"))
    return pipeline.Data(3, *places)


@pytest.fixture
def found(data, tmp_path):
    """A function that lints a family's configuration after changes: (severity, field, value, fix) of each finding."""

    def run(changes=None, family=SSD, **options):
        config = pipeline.build(family, data, steps=1000)
        for path, value in (changes or {}).items():
            config.remove(path) if value is None else config.set(path, value)
        return findings(tmp_path, config, **options)

    return run


def findings(folder: Path, config: Message, **options):
    (folder / "pipeline.config").write_text(str(config))
    result = lint(folder / "pipeline.config", **options)
    assert all(finding.problem and finding.fix for finding in result)
    return [(f.severity, f.field, f.value, f.fix) for f in result]


@pytest.mark.parametrize("family", pipeline.families())
def test_the_families_are_right(family, data, tmp_path):
    config = pipeline.build(family, data, steps=2000, batch_size=4, checkpoint=f"{tmp_path}/ckpt-0")
    assert findings(tmp_path, config) == []


def urban(data, **changes):
    """EfficientDet D1 as the course on urban scenes configures it: another's schedule, and precision for a TPU."""
    config = pipeline.build("efficientdet_d1", data, steps=300_000, learning_rate=0.08)
    config.remove("train_config.num_steps")
    settings = {
        f"{COSINE}.warmup_steps": 2500,
        f"{COSINE}.warmup_learning_rate": 0.001,
        "train_config.use_bfloat16": True,
        "train_config.fine_tune_checkpoint": "/opt/ml/input/data/checkpoint/efficientdet_d1_coco17_tpu-32/ckpt-0",
        "train_config.fine_tune_checkpoint_type": "detection",
        **changes,
    }
    for path, value in settings.items():
        config.set(path, value)
    return config


def test_a_label_above_the_number_of_classes_and_a_schedule_of_another_training(data, tmp_path):
    items = [Item(1, "vehicle"), Item(2, "pedestrian"), Item(4, "cyclist")]
    label_map.write(data.label_map, items)
    (tmp_path / "pipeline.config").write_text(str(urban(data)))
    result = lint(tmp_path / "pipeline.config", steps=2000)
    assert [(f.severity, f.field, f.value, f.fix) for f in result] == [
        ("error", "model.ssd.num_classes", "3", "4, or number the classes 1 to 3"),
        ("error", f"{COSINE}.total_steps", "300000", "2000"),
        ("error", f"{COSINE}.warmup_steps", "2500", "about 200"),
        ("warning", f"{COSINE}.learning_rate_base", "0.08", "about 0.005, or a larger batch"),
        ("warning", "train_config.use_bfloat16", "true", "false"),
        (
            "note",
            "train_config.fine_tune_checkpoint",
            urban(data).get("train_config.fine_tune_checkpoint"),
            result[-1].fix,
        ),
    ]
    assert "4 'cyclist': such boxes train as background and are scored as class 1" in result[0].problem
    assert "the rate only rises" in result[2].problem
    assert result[0].line == 3
    assert str(result[4]).startswith("warning: line ")


def test_a_resnet_with_the_parts_of_an_efficientdet(data, tmp_path):
    config = urban(data, **{f"{EXTRACTOR}.type": "ssd_resnet50_v1_fpn_keras"})
    errors = findings(tmp_path, config, steps=300_000, device="tpu")
    assert errors == [
        ("error", f"{EXTRACTOR}.bifpn", "", "take it away"),
        ("error", "train_config.fine_tune_checkpoint", errors[1][2], "a checkpoint of this very model"),
        ("warning", f"{EXTRACTOR}.conv_hyperparams.activation", "SWISH", "RELU_6"),
        (
            "warning",
            "model.ssd.box_coder.faster_rcnn_box_coder.y_scale",
            "1",
            "y_scale: 10 x_scale: 10 height_scale: 5 width_scale: 5",
        ),
        ("warning", f"{COSINE}.learning_rate_base", "0.08", "about 0.005, or a larger batch"),
        ("note", "train_config.fine_tune_checkpoint", errors[1][2], errors[-1][3]),
    ]


def test_an_extractor_that_is_none_of_ssd(data, tmp_path):
    config = urban(data, **{f"{EXTRACTOR}.type": "mask_rcnn_inception_resnet_v2_fpn_keras"})
    result = findings(tmp_path, config, steps=300_000, device="tpu")
    assert result[0][:3] == ("error", f"{EXTRACTOR}.type", "mask_rcnn_inception_resnet_v2_fpn_keras")
    assert {field for severity, field, *_ in result if severity == "error"} == {
        f"{EXTRACTOR}.type",
        f"{EXTRACTOR}.bifpn",
        "train_config.fine_tune_checkpoint",
    }


MISTAKES = [
    # family, changes, severity, field, value, part of the fix
    (SSD, {"model.ssd.num_classes": 2}, "error", "model.ssd.num_classes", "2", "3"),
    (SSD, {"model.ssd.num_classes": 5}, "warning", "model.ssd.num_classes", "5", "3, with ids 1 to 3"),
    (SSD, {f"{COSINE}.total_steps": 1200}, "warning", f"{COSINE}.total_steps", "1200", "1000"),
    (SSD, {f"{COSINE}.total_steps": 800}, "error", f"{COSINE}.total_steps", "800", "1000"),
    (SSD, {f"{COSINE}.total_steps": None}, "error", f"{COSINE}.total_steps", "4000000", "1000"),
    (SSD, {f"{COSINE}.warmup_learning_rate": 0.1}, "error", f"{COSINE}.warmup_learning_rate", "0.1", "0.0005"),
    (SSD, {f"{COSINE}.learning_rate_base": 0.03}, "warning", f"{COSINE}.learning_rate_base", "0.03", "about 0.005"),
    (SSD, {"train_config.batch_size": 0}, "error", "train_config.batch_size", "0", "1 or more"),
    (SSD, {"train_config.num_steps": 0}, "warning", "train_config.num_steps", "0", "the steps"),
    (SSD, {"train_config.use_bfloat16": True}, "warning", "train_config.use_bfloat16", "true", "false"),
    (SSD, {"train_config.optimizer": Message()}, "error", "train_config.optimizer", "", "momentum_optimizer"),
    (SSD, {f"{RATE}": textproto.parse("linear { }")}, "error", f"{RATE}.linear", "", "constant_learning_rate"),
    (
        SSD,
        {f"{EXTRACTOR}.type": "ssd_mobilenet_v2_fpn"},
        "error",
        f"{EXTRACTOR}.type",
        "ssd_mobilenet_v2_fpn",
        "_keras",
    ),
    (
        SSD,
        {f"{EXTRACTOR}.type": "faster_rcnn_resnet50_fpn_keras"},
        "error",
        f"{EXTRACTOR}.type",
        "faster_rcnn_resnet50_fpn_keras",
        "model { faster_rcnn",
    ),
    ("efficientdet_d0", {f"{EXTRACTOR}.fpn.min_level": 3}, "error", f"{EXTRACTOR}.fpn", "", "take it away"),
    (SSD, {"model.ssd.image_resizer": None}, "error", "model.ssd.image_resizer", "missing", "fixed_shape_resizer"),
    (SSD, {f"{FIXED}.height": 300}, "warning", f"{FIXED}.height", "300", "288"),
    (SSD, {f"{FIXED}.width": 0}, "error", f"{FIXED}.width", "0", "320"),
    (RCNN, {f"{KEEP}.pad_to_max_dimension": False}, "error", f"{KEEP}.pad_to_max_dimension", "false", "true"),
    (RCNN, {f"{KEEP}.min_dimension": 800}, "error", f"{KEEP}.min_dimension", "800", "640"),
    (SSD, {SQUARE: 640}, "warning", SQUARE, "640", "320"),
    (SSD, {f"{NMS}.score_threshold": 0.3}, "warning", f"{NMS}.score_threshold", "0.3", "1e-8"),
    (SSD, {f"{NMS}.score_threshold": 1.5}, "error", f"{NMS}.score_threshold", "1.5", "1e-8"),
    (SSD, {f"{NMS}.iou_threshold": 0}, "error", f"{NMS}.iou_threshold", "0", "0.5"),
    (SSD, {f"{NMS}.max_total_detections": 10}, "warning", f"{NMS}.max_total_detections", "10", "100 or more"),
    (RCNN, {SECOND: None}, "warning", SECOND, "IDENTITY", "SOFTMAX"),
    (SSD, {"eval_config.min_score_threshold": 1.0}, "error", "eval_config.min_score_threshold", "1.0", "0.5"),
    (SSD, {"eval_config": None}, "warning", "eval_config", "missing", "add eval_config"),
    (SSD, {"train_confg": Message()}, "error", "train_confg", "", "one of model, train_config"),
    (SSD, {"model": None}, "error", "model", "missing", ""),
]


@pytest.mark.parametrize(("family", "changes", "severity", "field", "value", "fix"), MISTAKES)
def test_a_mistake_is_found(found, family, changes, severity, field, value, fix):
    same_field = [f for f in found(changes, family) if f[:3] == (severity, field, value)]
    assert same_field, found(changes, family)
    assert any(fix in f[3] for f in same_field)


@pytest.mark.parametrize(("family", "changes", "field"), [(m[0], m[1], m[3]) for m in MISTAKES if len(m[1]) == 1][:-4])
def test_nothing_else_is(found, family, changes, field):
    assert {f[1] for f in found(changes, family)} <= {field, *related(field)}


def related(field):
    """What else a mistake of that field makes wrong."""
    return {
        f"{COSINE}.total_steps": [f"{COSINE}.warmup_steps"],
        f"{EXTRACTOR}.type": [f"{EXTRACTOR}.fpn"],
    }.get(field, [])


def test_an_efficientnet_has_a_pyramid_by_itself(found):
    assert found({f"{EXTRACTOR}.bifpn": None}, "efficientdet_d1") == []


def manual(*steps):
    text = "manual_step_learning_rate { initial_learning_rate: 0.0003 "
    return textproto.parse(text + " ".join(f"schedule {{ step: {s} learning_rate: 0.0001 }}" for s in steps) + "}")


@pytest.mark.parametrize(
    ("steps", "severity", "value", "problem"),
    [
        ((900_000, 1_200_000), "warning", "900000", "beyond the training's 1000 steps: the rate is constant"),
        ((500, 5000), "warning", "5000", "these changes never come"),
        ((500, 400), "error", "400", "not above the one before, 500"),
        ((), "error", "missing", "no steps"),
    ],
)
def test_manual_steps(data, tmp_path, steps, severity, value, problem):
    config = pipeline.build(RCNN, data, steps=1000)
    config.set(RATE, manual(*steps))
    (tmp_path / "pipeline.config").write_text(str(config))
    finding = lint(tmp_path / "pipeline.config")[0]
    assert (finding.severity, finding.value) == (severity, value)
    assert problem in finding.problem
    config.set(RATE, manual(600, 900))
    assert findings(tmp_path, config) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("decay_steps: 100", []),
        ("", [("warning", "decay_steps", "4000000")]),
        ("decay_steps: 100 burnin_steps: 1000", [("error", "burnin_steps", "1000")]),
    ],
)
def test_exponential_decay(found, settings, expected):
    text = f"exponential_decay_learning_rate {{ initial_learning_rate: 0.004 {settings} }}"
    result = found({RATE: textproto.parse(text)})
    start = f"{RATE}.exponential_decay_learning_rate."
    assert [(severity, field.removeprefix(start), value) for severity, field, value, _ in result] == expected


@pytest.mark.parametrize(
    ("family", "checkpoint", "kind", "fields"),
    [
        (SSD, "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8/checkpoint/ckpt-0", "detection", []),
        (SSD, "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8/checkpoint/ckpt-0", "full", []),
        (SSD, "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8/checkpoint/ckpt-0", "", ["_type"]),
        (SSD, "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8/checkpoint/ckpt-0", "detector", ["_type"]),
        (SSD, "ssd_mobilenet_v2_320x320_coco17_tpu-8/checkpoint/ckpt-0", "detection", [""]),
        (SSD, "ssd_resnet50_v1_fpn_640x640_coco17_tpu-8/checkpoint/ckpt-0", "detection", [""]),
        (SSD, "mobilenet_v2.ckpt-1", "classification", []),
        (SSD, "mobilenet_v2.ckpt-1", "detection", ["_type"]),
        (SSD, "resnet50.ckpt-1", "classification", [""]),
        (RCNN, "faster_rcnn_resnet101_v1_800x1333_coco17_gpu-8/checkpoint/ckpt-0", "detection", []),
        (RCNN, "faster_rcnn_resnet101_v1_800x1333_coco17_gpu-8/checkpoint/ckpt-0", "classification", ["_type"]),
        (RCNN, "faster_rcnn_resnet50_v1_640x640_coco17_tpu-8/checkpoint/ckpt-0", "detection", [""]),
        ("efficientdet_d1", "efficientdet_d1_coco17_tpu-32/checkpoint/ckpt-0", "detection", []),
        ("efficientdet_d1", "efficientdet_d0_coco17_tpu-32/checkpoint/ckpt-0", "detection", [""]),
        ("efficientdet_d1", "mnt/ssd/my_model/ckpt-7", "detection", []),
    ],
)
def test_checkpoints(found, family, checkpoint, kind, fields):
    start = "train_config.fine_tune_checkpoint"
    changes = {start: f"s3://zoo/{checkpoint}", f"{start}_type": kind}
    errors = [f for f in found(changes, family) if f[0] == "error"]
    assert [field for _, field, *_ in errors] == [start + end for end in fields]


def test_version_1_is_the_default_of_checkpoints(found, tmp_path):
    start = "train_config.fine_tune_checkpoint"
    changes = {start: f"{tmp_path}/ckpt-0", f"{start}_type": "detection", f"{start}_version": None}
    assert found(changes) == [("error", f"{start}_version", "V1", "V2")]
    assert found(changes | {f"{start}_version": Name("V2")}) == []


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("train_input_reader.label_map_path", "nowhere.pbtxt", "the path of the label map"),
        ("train_input_reader.label_map_path", "PATH_TO_BE_CONFIGURED/label_map.pbtxt", "the path of label_map.pbtxt"),
        ("eval_input_reader.label_map_path", None, "the path of label_map.pbtxt"),
        (
            "train_input_reader.tf_record_input_reader.input_path",
            "nowhere/*.tfrecord",
            "the path of the TFRecord files",
        ),
        ("eval_input_reader.tf_record_input_reader", None, "the path of the TFRecord files"),
        ("train_config.fine_tune_checkpoint", "nowhere/ckpt-0", "the path of a checkpoint without .index"),
    ],
)
def test_missing_files(found, field, value, fix):
    changes = {field: value, "train_config.fine_tune_checkpoint_type": "detection"}
    errors = [f for f in found(changes) if f[0] == "error"]
    assert len(errors) == 1
    assert errors[0][1].startswith(field)
    assert errors[0][3] == fix


def test_checkpoints_are_named_without_their_ending(found, tmp_path):
    start = "train_config.fine_tune_checkpoint"
    for path in (tmp_path / "ckpt-0.index", tmp_path):
        errors = found({start: str(path), f"{start}_type": "detection"})
        assert [(field, fix.partition(",")[0]) for _, field, _, fix in errors] == [(start, f"{tmp_path}/ckpt-0")]


def test_files_that_are_there_but_wrong(found, data, tmp_path):
    records = "{}_input_reader.tf_record_input_reader.input_path"
    assert found({records.format("eval"): data.training})[0][1] == records.format("eval")
    (tmp_path / "val.tfrecord").write_bytes(b"")
    assert found()[0] == ("error", records.format("eval"), data.validation, "write the records again")
    (tmp_path / "val.tfrecord").write_bytes(b"x")
    label_map.write(tmp_path / "other.pbtxt", label_map.numbered(["pedestrian", "vehicle", "cyclist"]))
    other = {"eval_input_reader.label_map_path": f"{tmp_path}/other.pbtxt"}
    assert found(other) == [("error", *other.popitem(), "the same label map for both")]
    Path(data.label_map).write_text("item { id: 0 name: 'a' }")
    assert {f[1] for f in found()} == {"train_input_reader.label_map_path", "eval_input_reader.label_map_path"}


def test_paths_of_another_machine_are_noted_or_followed(found, tmp_path):
    there = {"train_input_reader.label_map_path": "/opt/ml/input/data/training/label_map.pbtxt"}
    assert [f[:2] for f in found(there)] == [("note", *there)]
    assert found(there, mapping={"/opt/ml/input/data/training": str(tmp_path)}) == []
    missing = {"train_input_reader.label_map_path": "/opt/ml/input/data/training/labels.pbtxt"}
    assert found(missing, mapping={"/opt/ml/input/data": str(tmp_path)})[0][:2] == ("error", *missing)


def test_steps_of_the_command_line_and_extractors_of_the_program(found):
    assert found(steps=1000) == []
    assert ("warning", "train_config.num_steps", "1000", "500, and the schedule to match") in found(steps=500)
    own = {f"{EXTRACTOR}.type": "ssd_tiny_fpn_keras"}
    assert found(own)[0][1] == f"{EXTRACTOR}.type"
    assert found(own, extractors=["ssd_tiny_fpn_keras"]) == []


def leaves(message: Message) -> Iterator[Field]:
    for field in message.fields:
        yield field
        if isinstance(field.value, Message):
            yield from leaves(field.value)


@pytest.mark.parametrize("value", ["x", -1, float("nan"), Message()])
def test_no_value_of_any_field_ends_the_linter(data, tmp_path, value):
    for family in (SSD, RCNN):
        config = pipeline.build(family, data, steps=1000, checkpoint="ckpt-0")
        config.set(f"{RATE}", manual(600, 900)) if family == RCNN else None
        for field in list(leaves(config)):
            before, field.value = field.value, value
            findings(tmp_path, config)
            field.value = before


def test_what_is_no_configuration_is_refused(tmp_path):
    (tmp_path / "pipeline.config").write_text("model {\n ssd { num_classes 3 } }")
    with pytest.raises(DataError, match=r"pipeline\.config:2:20: expected ':' and a value"):
        lint(tmp_path / "pipeline.config")
    with pytest.raises(DataError, match="cannot be read"):
        lint(tmp_path / "nowhere.config")
    with pytest.raises(ConfigError, match="device='npu': expected one of cpu, gpu, tpu"):
        lint(tmp_path / "pipeline.config", device="npu")
