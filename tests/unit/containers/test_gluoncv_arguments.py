"""The GluonCV training program's arguments, log lines and arrays: what needs no MXNet."""

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detection import metric_lines
from detection.augment import Augmentation
from detection.decoding import decode_array
from detection.pictures import PictureCache
from PIL import Image
from sagemaker_contract import Environment, UserError
from siamrpn import metric_names as siamrpn_names
from ssd import arguments, metric_names
from ssd.batches import Batches, stack
from ssd.detections import Detections
from ssd.pictures import LetterBox, TrainingPictures, to_picture

JOB = Environment(base=Path("/base"), channels={"training": Path("/t"), "annotation": Path("/a")})
METRICS = Path(metric_names.__file__).parents[1] / "metrics.json"


def parse(*argv: str, **hyperparameters: str) -> argparse.Namespace:
    return arguments.parse(replace(JOB, hyperparameters=hyperparameters), argv)


def test_defaults_train_the_small_network_on_the_jobs_channels() -> None:
    parsed = parse()
    assert (parsed.network, parsed.optimizer, parsed.crop, parsed.weights) == ("small", "adam", "fitted", "")
    assert (parsed.training_channel, parsed.annotation_channel) == (Path("/t"), Path("/a"))
    zoo = parse(network="ssd_512_mobilenet1.0_custom", lr="0.5")
    assert (zoo.optimizer, zoo.crop, zoo.lr, zoo.weight_decay) == ("sgd", 0, 0.5, 0.0005)


@pytest.mark.parametrize(
    ("old", "value", "name", "expected"),
    [
        ("base_network", "ssd_512_resnet50_v1_voc", "network", "ssd_512_resnet50_v1_voc"),
        ("learning_rate", "0.01", "lr", 0.01),
        ("wd", "0.1", "weight_decay", 0.1),
        ("gt_labeling_task", "signs", "label_attribute", "signs"),
        ("classes", '["a b", "c"]', "classes", ["a b", "c"]),
        ("lr_decay_epochs", "[160, 200]", "lr_decay_epochs", [160, 200]),
        ("lr_decay_epochs", "160,200", "lr_decay_epochs", [160, 200]),
    ],
)
def test_old_names_and_typed_values(old: str, value: str, name: str, expected: Any) -> None:
    assert getattr(parse(**{old: value}), name) == expected


def test_the_channels_may_have_their_old_names() -> None:
    job = replace(JOB, channels={"train": Path("/t"), "labels": Path("/l")})
    parsed = arguments.parse(job)
    assert (parsed.training_channel, parsed.annotation_channel) == (Path("/t"), Path("/l"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--network=ssd_1"], "ssd_512_mobilenet1.0_custom"),
        (["--classes=ball"], "JSON list of strings"),
        (["--epochs=0"], "0 is not above 0"),
        (["--lr-decay-epochs=[5, 3]"], "not a rising list"),
        (["--weights=https://x/y.params"], "--weights-sha256"),
        (["--momentum=2"], "not within 0 to 1"),
        (["--unknown=1"], "--unknown"),
    ],
)
def test_mistakes_are_named(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        parse(*argv)


def test_the_published_metrics_are_those_of_both_tasks() -> None:
    assert json.loads(METRICS.read_text()) == metric_lines.definitions(metric_names.PHASES, siamrpn_names.PHASES)


@pytest.mark.parametrize("phases", [metric_names.PHASES, siamrpn_names.PHASES], ids=["detection", "tracking"])
def test_a_published_regex_reads_its_own_number_of_the_log(phases: dict[str, tuple[str, ...]]) -> None:
    log = "\n".join(
        metric_lines.line(phase, 40, {"epoch": 2, **{name: i + 0.5 for i, name in enumerate(names)}})
        for phase, names in phases.items()
    )
    for definition in metric_lines.definitions(phases):
        phase, name = definition["Name"].split(":")
        expected = phases[phase].index(name) + 0.5
        assert [float(found) for found in re.findall(definition["Regex"], log)] == [expected], definition


@pytest.mark.parametrize(
    ("box", "size", "canvas"),
    [
        (LetterBox(400, 640, 32), (640, 400), (640, 416)),
        (LetterBox(400, 640, 32), (1280, 960), (544, 416)),
        (LetterBox(300, 300, 300), (640, 400), (300, 300)),
        (LetterBox(300, 300, 300), (100, 400), (300, 300)),
    ],
)
def test_letter_boxed_boxes_come_back_to_the_pictures_pixels(box: LetterBox, size: tuple, canvas: tuple) -> None:
    width, height = size
    truth = np.array([[width * 0.5, height * 0.25, width * 0.75, height * 0.5]])
    pixels = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = truth[0].astype(int)
    pixels[top:bottom, left:right] = 255
    image, scale = box.apply(Image.fromarray(pixels))
    assert image.shape == (3, canvas[1], canvas[0])
    assert scale[0] == pytest.approx(scale[1], rel=0.02)  # in proportion
    rows, columns = np.nonzero(image[0] > 1)
    seen = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)
    np.testing.assert_allclose(to_picture(seen, scale, size), truth, atol=2 / min(scale))
    assert to_picture(seen + 9999, scale, size).tolist() == [[width, height, width, height]]


def test_batches_share_an_epoch_among_the_hosts(tmp_path: Path) -> None:
    records = []
    for i in range(10):
        Image.new("RGB", (32, 32), (i, i, i)).save(tmp_path / f"{i}.png")
        box = {"bbox": [4, 4, 8, 8], "category_id": i % 2}
        boxes = [box] if i else []
        records.append({"file_name": str(tmp_path / f"{i}.png"), "width": 32, "height": 32, "annotations": boxes})
    how = Augmentation(scale=1.0, colour=0.0)
    pictures = TrainingPictures(LetterBox(32, 32, 32), PictureCache(0), how)
    seen = []
    for rank in range(2):
        batches = Batches(records, pictures, 2, seed=1, rank=rank, hosts=2)
        epoch = list(batches.epoch(3))
        assert len(epoch) == len(batches) == 3
        again = list(batches.epoch(3))
        for (images, labels), (same_images, same_labels) in zip(epoch, again, strict=True):
            assert images.shape == (2, 3, 32, 32)
            np.testing.assert_array_equal(images, same_images)
            np.testing.assert_array_equal(labels, same_labels)
            seen += images[:, 0, 0, 0].tolist()
    assert len(set(seen)) == 10  # every picture, two of them twice to fill the last batches
    assert len(seen) == 12


def test_pictures_without_boxes_have_padding_for_labels() -> None:
    images, labels = stack([(np.ones((3, 4, 4), np.float32), np.empty((0, 5)))])
    assert labels.tolist() == [[[-1] * 5]]
    assert images.shape == (1, 3, 4, 4)


def test_suppression_whatever_the_class() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    found = Detections.of(
        np.array([[1.0], [0], [1], [-1]]), np.array([[0.5], [0.9], [0.3], [0.0]]), np.r_[boxes, boxes[:1]]
    )
    assert found.class_ids.tolist() == [0, 1, 1]
    assert found.suppressed(0.5).class_ids.tolist() == [0, 1]
    assert found.suppressed(0.9).scores.tolist() == [0.9, 0.5, 0.3]
    assert found.at_least(0.5).scores.tolist() == [0.9, 0.5]


def test_an_array_is_a_picture() -> None:
    picture = decode_array(b"[[[255, 0, 1], [2, 3, 4.4]]]")
    assert np.asarray(picture).tolist() == [[[255, 0, 1], [2, 3, 4]]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"?", "not a JSON array"),
        (b"[[1, 2], [3]]", "one shape"),
        (b"[[1, 2], [3, 4]]", "height x width x 3"),
        (b"[[[1, 2, 300]]]", "expected 0 to 255"),
        (b'[[["a", "b", "c"]]]', "expected numbers"),
        (b"[[[]]]", "height x width x 3"),
    ],
)
def test_what_is_no_picture_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        decode_array(body)
