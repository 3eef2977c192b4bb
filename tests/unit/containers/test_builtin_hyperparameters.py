"""The built-in algorithm's hyperparameters: each one's range, default and error, as SageMaker documents them."""

from dataclasses import fields, replace
from typing import Any

import pytest
from builtin import early_stopping, hyperparameters
from builtin.hyperparameters import CONVERTERS, Settings, parse
from detection.history import History
from sagemaker_contract import UserError

REQUIRED = {"num_classes": "3", "num_training_samples": "10"}
# name: documented default, texts that are taken with their values, texts that are not
DOCUMENTED: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "num_classes": (None, {"1": 1, "80": 80}, ["0", "-1", "2.5", "many", ""]),
    "num_training_samples": (None, {"1": 1, "16551": 16551}, ["0", "-5", "1e3"]),
    "base_network": ("vgg-16", {"resnet-50": "resnet-50", "small": "small"}, ["resnet-101", "VGG-16"]),
    "early_stopping": (False, {"True": True, "true": True, "False": False, "1": True}, ["yes", "2"]),
    "early_stopping_min_epochs": (10, {"0": 0, "3": 3}, ["-1", "1.5"]),
    "early_stopping_patience": (5, {"1": 1}, ["0", "-1"]),
    "early_stopping_tolerance": (0.0, {"0": 0.0, "1": 1.0, "0.05": 0.05}, ["-0.1", "1.1", "nan"]),
    "image_shape": (300, {"300": 300, "512": 512}, ["299", "0", "512.5"]),
    "epochs": (30, {"1": 1}, ["0", "-1"]),
    "freeze_layer_pattern": ("", {"^(conv1_|conv2_)": "^(conv1_|conv2_)"}, ["(", "*"]),
    "kv_store": ("dist_sync", {"dist_async": "dist_async"}, ["device", "local"]),
    "label_width": (350, {"7": 7, "600": 600}, ["6", "-1"]),
    "learning_rate": (0.001, {"1": 1.0, "1e-6": 1e-6}, ["0", "1.01", "-0.1", "inf", "fast"]),
    "lr_scheduler_factor": (0.1, {"0.5": 0.5}, ["0", "1.5"]),
    "lr_scheduler_step": ((), {"": (), "10": (10,), "10,20": (10, 20), "3, 6": (3, 6)}, ["20,10", "0", "a", "10,,20"]),
    "mini_batch_size": (32, {"1": 1, "64": 64}, ["0", "8.5"]),
    "momentum": (0.9, {"0": 0.0, "0.999": 0.999, "1": 1.0}, ["-0.1", "1.1"]),
    "nms_threshold": (0.45, {"0": 0.0, "1": 1.0}, ["-0.1", "1.1"]),
    "optimizer": ("sgd", {name: name for name in ("adam", "rmsprop", "adadelta")}, ["lamb", "SGD"]),
    "overlap_threshold": (0.5, {"0.75": 0.75, "1": 1.0}, ["-0.1", "1.1"]),
    "use_pretrained_model": (None, {"0": False, "1": True}, ["2", "True"]),
    "weight_decay": (0.0005, {"0": 0.0, "0.999": 0.999}, ["-0.1", "1.1"]),
}


def test_every_documented_hyperparameter_is_here() -> None:
    assert CONVERTERS.keys() == DOCUMENTED.keys() == {field.name for field in fields(Settings)}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_default(name: str) -> None:
    default = DOCUMENTED[name][0]
    if name in REQUIRED:
        with pytest.raises(UserError, match=f"hyperparameter {name} is required"):
            parse({other: text for other, text in REQUIRED.items() if other != name})
    else:
        assert getattr(parse(REQUIRED), name) == default


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, row in DOCUMENTED.items() for text in row[1]])
def test_a_value_that_is_taken(name: str, text: str) -> None:
    value = DOCUMENTED[name][1][text]
    assert getattr(parse({**REQUIRED, name: text}), name) == value
    assert getattr(parse({**REQUIRED, name: f'"{text}"'}), name) == value  # as the SDK sends strings


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, row in DOCUMENTED.items() for text in row[2]])
def test_a_value_that_is_not(name: str, text: str) -> None:
    with pytest.raises(UserError, match=f"hyperparameter {name}: '.*', expected "):
        parse({**REQUIRED, name: text})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": "8"}, "unknown hyperparameter 'batch_size': do you mean mini_batch_size"),
        ({"xyz": "8"}, "unknown hyperparameter 'xyz'; known are num_classes, num_training_samples, base_network"),
        ({"base_network": "small", "use_pretrained_model": "1"}, "use_pretrained_model: 1, expected 0"),
    ],
)
def test_what_does_not_fit(given: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse({**REQUIRED, **given})


def test_sagemakers_own_entries_are_passed_over() -> None:
    assert parse({**REQUIRED, "_tuning_objective_metric": "validation:mAP"}) == parse(REQUIRED)


STOPPING = replace(
    hyperparameters.parse(REQUIRED), early_stopping=True, early_stopping_min_epochs=4, early_stopping_patience=2
)


def stops(scores: list[float], **settings: Any) -> bool:
    return bool(early_stopping.ended(replace(STOPPING, **settings), History([{"voc12": score} for score in scores])))


def test_early_stopping() -> None:
    assert stops([0.1, 0.2, 0.2, 0.2])
    assert not stops([0.1, 0.2, 0.2])  # min_epochs
    assert not stops([0.1, 0.1, 0.1, 0.2])
    assert not stops([0.1, 0.2, 0.2, 0.2], early_stopping_patience=3)
    assert not stops([0.1, 0.2, 0.205, 0.21])
    assert stops([0.1, 0.2, 0.205, 0.21], early_stopping_tolerance=0.1)  # a share of the best
    assert not stops([0.1, 0.2, 0.2, 0.2], early_stopping=False)
