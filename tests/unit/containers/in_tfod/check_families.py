# ruff: noqa: E402  (the API is imported only after compat.prepare)
"""Every family is a configuration that the API builds; arguments and overrides reach it."""

import argparse
from pathlib import Path

from pipeline import compat

compat.prepare()

from detection.datasets import Data
from pipeline import arguments, config, families, names, training, weights
from pipeline.channels import Channels
from sagemaker_contract import Environment, UserError

BOX = {"bbox": [10.0, 10.0, 20.0, 30.0], "category_id": 1, "iscrowd": 0}
RECORD = {"file_name": "a.png", "image_id": 0, "width": 640, "height": 400, "annotations": [BOX, BOX]}
DATA = Channels(Data(["a", "b"], [RECORD], None), [Path("x.tfrecord")], [], Path("labels.pbtxt"), 1)
JOB = Environment(base=Path("/base"), channels={"training": Path("/t")})


def parse(*argv: str) -> argparse.Namespace:
    return arguments.parse(JOB, argv)


def check_every_family_builds() -> None:
    for name in families.ALL:
        made, fitted = config.build(parse(f"--model={name}"), DATA, None)
        assert (fitted is not None) == (name == names.SMALL)
        model = training.build(made, is_training=False)
        assert model.num_classes == 2
        steps = made.train_config.optimizer
        rate = getattr(steps, steps.WhichOneof("optimizer")).learning_rate.cosine_decay_learning_rate
        assert (rate.total_steps, rate.warmup_steps) == (400, 40)
        assert abs(rate.learning_rate_base - families.ALL[name].lr(8)) < 1e-9
        if name == names.SMALL:
            generator = made.model.ssd.anchor_generator.flexible_grid_anchor_generator
            assert [len(grid.base_sizes) for grid in generator.anchor_grid] == [4, 4, 4]


def check_arguments_reach_the_configuration() -> None:
    override = "train_config { batch_size: 3 } model { ssd { post_processing { score_converter: SOFTMAX } } }"
    argv = ["--num-steps=50", "--batch-size=6", "--lr=0.5", "--flip=both", f"--override={override}", "--window=1"]
    made, _ = config.build(parse("--image-size=448x288", *argv), DATA, None)
    train, resizer = made.train_config, made.model.ssd.image_resizer.fixed_shape_resizer
    assert (train.num_steps, train.batch_size, resizer.width, resizer.height) == (50, 3, 448, 288)
    options = [option.WhichOneof("preprocessing_step") for option in train.data_augmentation_options]
    assert options[:2] == ["random_horizontal_flip", "random_vertical_flip"]
    assert "random_crop_image" not in options
    assert made.model.ssd.post_processing.score_converter == 2
    assert train.max_number_of_boxes == made.train_input_reader.max_number_of_boxes == 2
    assert made.train_input_reader.tf_record_input_reader.input_path == ["x.tfrecord"]


def check_sizes() -> None:
    for argv, expected in {
        (): (640, 384),
        ("--image-size=512",): (512, 320),
        ("--model=efficientdet_d1",): (640, 640),
        ("--model=faster_rcnn_resnet50_640", "--image-size=300"): (300, 300),
    }.items():
        assert config.input_size(parse(*argv), DATA.data) == expected


def check_windows() -> None:
    made, _ = config.build(parse(), DATA, None)
    whole, part = (each.model.ssd.image_resizer.fixed_shape_resizer for each in (made, config.windowed(made, 0.5)))
    assert (whole.width, whole.height, part.width, part.height) == (640, 384, 320, 192)
    crop = made.train_config.data_augmentation_options[0].random_crop_image
    assert 0.17 < crop.min_area < 0.25 < crop.max_area < 0.36
    made, _ = config.build(parse("--model=efficientdet_d0", "--window=0.75"), DATA, None)
    part = config.windowed(made, 0.75).model.ssd.image_resizer.keep_aspect_ratio_resizer
    assert (part.min_dimension, part.max_dimension) == (384, 384)


def check_weights_of_another_extractor_are_refused() -> None:
    small, _ = config.build(parse(), DATA, None)
    zoo, _ = config.build(parse("--model=ssd_resnet50_fpn_640"), DATA, None)
    try:
        weights.use(weights.Weights("/zoo/ckpt-0", zoo, None), small, ["a", "b"])
    except UserError as error:
        reason = str(error)
    assert "type 'ssd_resnet50_v1_fpn_keras', the job trains 'ssd_mobilenet_v2_fpn_keras'" in reason
    line = weights.use(weights.Weights("/own/ckpt-0", small, ["a", "b"]), small, ["a", "b"])
    assert (small.train_config.fine_tune_checkpoint_type, line.endswith("new: none")) == ("full", True)
    weights.use(weights.Weights("/zoo/ckpt-0", small, None), small, ["a", "b"])
    assert small.train_config.fine_tune_checkpoint_type == "detection"


def check_an_earlier_jobs_anchors_stay() -> None:
    earlier, _ = config.build(parse("--image-size=640"), DATA, None)
    made, fitted = config.build(parse(), DATA, earlier)
    assert fitted is None
    assert made.model.ssd.anchor_generator == earlier.model.ssd.anchor_generator


check_every_family_builds()
check_arguments_reach_the_configuration()
check_sizes()
check_windows()
check_weights_of_another_extractor_are_refused()
check_an_earlier_jobs_anchors_stay()
