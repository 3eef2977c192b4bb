import pytest

from lab_utils.errors import DataError
from lab_utils.tfod import pipeline
from lab_utils.tfod.override import overridden

RATE = "train_config.optimizer.momentum_optimizer.learning_rate"
DATA = pipeline.Data(3, "label_map.pbtxt", "train.tfrecord", "val.tfrecord")


@pytest.fixture
def config():
    return pipeline.build("faster_rcnn_resnet101_640", DATA, steps=1000)


def test_it_changes_what_it_names_and_nothing_else(config):
    before = str(config)
    made = overridden(config, "train_config { num_steps: 77 } eval_config { num_examples: 7 }")
    assert made.get("train_config.num_steps") == 77
    assert made.get("eval_config.num_examples") == 7
    assert str(config) == before
    assert str(made).replace("num_steps: 77", "num_steps: 1000").replace("  num_examples: 7\n", "") == before


def test_another_kind_takes_the_place_of_the_one_before(config):
    manual = "manual_step_learning_rate { initial_learning_rate: 0.0003 schedule { step: 9 } schedule { step: 20 } }"
    made = overridden(
        config, f"train_config {{ optimizer {{ momentum_optimizer {{ learning_rate {{ {manual} }} }} }} }}"
    )
    assert made.get(f"{RATE}.cosine_decay_learning_rate") is None
    steps = [field.value.get("step") for field in made.get(f"{RATE}.manual_step_learning_rate").all("schedule")]
    assert steps == [9, 20]
    assert made.get("train_config.optimizer.momentum_optimizer.momentum_optimizer_value") == 0.9
    assert made.get("train_config.optimizer.use_moving_average") is False


def test_augmentations_are_added(config):
    text = "train_config { data_augmentation_options { random_horizontal_flip { } } }"
    made = overridden(overridden(config, text), text)
    assert len(made.get("train_config").all("data_augmentation_options")) == 2


def test_a_mistake_is_named_with_its_place(config):
    with pytest.raises(DataError, match="mine:1:27"):
        overridden(config, "train_config { batch_size }", "mine")
