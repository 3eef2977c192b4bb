import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.tfod import pipeline, textproto

DATA = pipeline.Data(3, "map.pbtxt", "train.tfrecord-?????-of-00002", "val.tfrecord")
COSINE = "train_config.optimizer.momentum_optimizer.learning_rate.cosine_decay_learning_rate"
ZOO = """model { ssd { num_classes: 90 feature_extractor { type: "ssd_mobilenet_v2_keras" } } }
train_config {
  batch_size: 512
  data_augmentation_options { random_horizontal_flip { } }
  optimizer { momentum_optimizer { learning_rate { manual_step_learning_rate { } } momentum_optimizer_value: 0.8 } }
  fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED"
  fine_tune_checkpoint_type: "classification"
  use_bfloat16: true
}
train_input_reader { label_map_path: "PATH" tf_record_input_reader { input_path: "a" input_path: "b" } num_readers: 4 }
"""


@pytest.mark.parametrize("family", pipeline.families())
def test_a_family_is_built_for_the_data(family):
    config = pipeline.build(family, DATA, steps=1500, batch_size=4, checkpoint="zoo/ckpt-0")
    kind = "faster_rcnn" if "faster" in family else "ssd"
    assert config.get(f"model.{kind}.num_classes") == 3
    assert config.get("train_config.num_steps") == 1500
    assert config.get("train_config.fine_tune_checkpoint") == "zoo/ckpt-0"
    assert config.get("eval_input_reader.tf_record_input_reader.input_path") == "val.tfrecord"
    assert str(textproto.parse(str(config))) == str(config)
    assert "$" not in str(config)


def test_the_rate_follows_the_batch_and_the_schedule_the_steps():
    config = pipeline.build("efficientdet_d1", DATA, steps=1500, batch_size=16)
    values = {field.name: field.value for field in config.get(COSINE).fields}
    assert values == {
        "learning_rate_base": pytest.approx(0.01),
        "total_steps": 1500,
        "warmup_learning_rate": pytest.approx(0.001),
        "warmup_steps": 150,
    }
    assert pipeline.build("efficientdet_d1", DATA, steps=1).get(f"{COSINE}.warmup_steps") == 0
    assert (
        pipeline.build("efficientdet_d1", DATA, steps=9, learning_rate=0.5).get(f"{COSINE}.learning_rate_base") == 0.5
    )


def test_another_configuration_is_fitted_and_left_as_it_was():
    zoo = textproto.parse(ZOO)
    config = pipeline.fitted(zoo, DATA, steps=100, batch_size=8, learning_rate=0.01)
    assert str(zoo) == str(textproto.parse(ZOO))
    assert config.get("model.ssd.feature_extractor.type") == "ssd_mobilenet_v2_keras"
    assert config.find("train_config.data_augmentation_options.random_horizontal_flip")
    assert config.get("train_config.optimizer.momentum_optimizer.momentum_optimizer_value") == 0.8
    assert config.get(f"{COSINE}.total_steps") == 100
    assert not config.find("train_config.optimizer.momentum_optimizer.learning_rate.manual_step_learning_rate")
    assert not config.find("train_config.fine_tune_checkpoint")
    assert config.get("train_config.use_bfloat16") is False
    reader = config.get("train_input_reader.tf_record_input_reader")
    assert [field.value for field in reader.fields] == ["train.tfrecord-?????-of-00002"]
    assert config.get("train_input_reader.num_readers") == 4


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r"family 'yolo': expected one of .*efficientdet_d0"):
        pipeline.build("yolo", DATA, steps=10)
    with pytest.raises(DataError, match=r"pipeline\.config: model holds nothing; expected one kind"):
        pipeline.fitted(textproto.parse("model { }"), DATA, steps=10, batch_size=1, learning_rate=1)
