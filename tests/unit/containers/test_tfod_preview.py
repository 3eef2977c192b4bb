"""The preview of augmentations: its arguments, and boxes that stay on their objects."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import preview
import pytest
from PIL import Image
from sagemaker_contract import Environment, UserError
from unit.containers.conftest import CONTAINERS
from unit.containers.made import write_squares

from local_sagemaker import images


def test_the_inputs_are_the_channels_and_other_arguments_those_of_training(tmp_path: Path) -> None:
    for name in ("training", "annotation"):
        (tmp_path / "processing/input" / name).mkdir(parents=True)
    mine, training = preview.parse(Environment(base=tmp_path), ["--pictures=2", "--flip=both", "--window=0.5"])
    assert (mine.pictures, mine.samples, mine.output) == (2, 4, tmp_path / "processing/output")
    assert (training.flip, training.window) == ("both", 0.5)
    assert training.annotation_channel == tmp_path / "processing/input/annotation"


@pytest.mark.parametrize(("argv", "message"), [(["--pictures=0"], "--pictures"), (["--flop=both"], "--flop")])
def test_mistakes_are_named(tmp_path: Path, argv: list[str], message: str) -> None:
    (tmp_path / "processing/input/training").mkdir(parents=True)
    with pytest.raises(UserError, match=message):
        preview.parse(Environment(base=tmp_path), argv)


@pytest.mark.environment
@pytest.mark.images_check
def test_boxes_stay_on_their_objects(tmp_path: Path) -> None:
    write_squares(tmp_path, "training", 6)  # bright on dark, 96x64
    (tmp_path / "processing").mkdir()
    (tmp_path / "input/data").rename(tmp_path / "processing/input")
    own = {"SAGEMAKER_BASE_DIR": str(tmp_path), "PYTHONPATH": str(CONTAINERS / "common")}
    grey = "train_config { data_augmentation_options { random_rgb_to_gray { probability: 1 } } }"
    argv = ["--pictures=3", "--samples=3", "--flip=both", "--window=0.7", f"--override={grey}"]
    command = [images.build(CONTAINERS / "images.toml", "tfod"), CONTAINERS / "tfod/preview.py", *argv]
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "processing/output/preview.json").read_text())
    alone = ["random_horizontal_flip", "random_vertical_flip", "random_crop_image"]
    assert [step for step in told["steps"] if step in alone] == alone
    assert (told["steps"][0], *told["steps"][-2:]) == ("original", "random_rgb_to_gray", "together")
    assert len(told["samples"]) == 3 * (1 + 3 * (len(told["steps"]) - 1))
    shapes = set()
    for sample in told["samples"]:
        pixels = np.asarray(Image.open(tmp_path / "processing/output" / sample["file"]))
        shapes.add(pixels.shape)
        for *box, class_id in sample["boxes"]:
            left, top, right, bottom = (round(side) for side in box)
            assert pixels[top:bottom, left:right].min() > 150, sample
            outside = pixels.copy()
            outside[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = 0
            assert outside.max() < 100, sample
            assert told["classes"][class_id] in ("square", "bar")
        if sample["step"] == "random_rgb_to_gray":
            assert (pixels.max(axis=2) == pixels.min(axis=2)).all()
    assert len(shapes) > 1
