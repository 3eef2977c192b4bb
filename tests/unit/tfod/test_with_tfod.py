"""TensorFlow and its Object Detection API read what is written here, in the environment of the image that has them."""

import json
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from PIL import Image

from lab_utils import pixels
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.formats import tfrecord
from lab_utils.tfod import lint, override, pipeline
from lab_utils.tfod.textproto import Message
from local_sagemaker import images

pytestmark = pytest.mark.environment
HERE = Path(__file__).parent
REGISTRY = PROJECT / "containers" / "images.toml"
EXTRACTOR = "model.ssd.feature_extractor"
DATA = pipeline.Data(2, "label_map.pbtxt", "train.tfrecord", "val.tfrecord")


@pytest.fixture(scope="module")
def tfod_python() -> Path:
    """The Python of the image `tfod`, built when it is not there."""
    if "tfod" not in tomllib.loads(REGISTRY.read_text())["images"]:
        pytest.skip("no image with TFOD")
    return images.build(REGISTRY, "tfod")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DetectionDataset:
    """PNG and JPEG, gray, CMYK and 16-bit pictures, a negative, and all flags."""
    root = tmp_path_factory.mktemp("pictures")
    photo = Image.merge("RGB", [Image.linear_gradient("L").rotate(a).resize((32, 20)) for a in (0, 90, 180)])
    deep = Image.fromarray((np.arange(640).reshape(20, 32) * 100).astype(np.uint16))
    pictures = {"a.png": photo, "lies.jpg": photo, "gray.png": photo.convert("L"), "deep.png": deep}
    pictures |= {
        "alpha.png": photo.convert("RGBA"),
        "palette.png": photo.convert("P"),
        "cmyk.tif": photo.convert("CMYK"),
    }
    for name, picture in pictures.items():
        picture.save(root / name, "TIFF" if name.endswith("tif") else "PNG")
    frame = pd.DataFrame({"image_id": range(7), "file_name": list(pictures), "width": 32, "height": 20})
    rows = [[0, 0, 1, 2, 8, 9.5, True, False], [0, 1, 0, 0, 32, 20, False, True], [2, 1, 3, 4, 5, 6, False, False]]
    boxes = pd.DataFrame(rows, columns=["image_id", "class_id", *XYWH, "difficult", "crowd"])
    return DetectionDataset.from_frames(frame, boxes, ["it's", 'a "sign"'], root=root)


@pytest.fixture(scope="module")
def configurations() -> dict[str, tuple[Message, bool]]:
    """Configurations by name, and whether TFOD can build their models."""
    found = {name: (pipeline.build(name, DATA, steps=100), True) for name in pipeline.families()}
    for name, changes in {
        "resnet with a bifpn": {f"{EXTRACTOR}.type": "ssd_resnet50_v1_fpn_keras"},
        "no extractor of ssd": {f"{EXTRACTOR}.type": "mask_rcnn_inception_resnet_v2_fpn_keras"},
        "efficientnet with an fpn": {f"{EXTRACTOR}.fpn.min_level": 3},
    }.items():
        config = pipeline.build("efficientdet_d0", DATA, steps=100)
        for path, value in changes.items():
            config.set(path, value)
        found[name] = (config, False)
    return found


@pytest.fixture(scope="module")
def told(tfod_python: Path, dataset: DetectionDataset, configurations, tmp_path_factory: pytest.TempPathFactory):
    """What the program in the image's environment prints: records, and models."""
    folder = tmp_path_factory.mktemp("tfod")
    tfrecord.write(dataset, folder / "train.tfrecord")
    for name, (config, _) in configurations.items():
        (folder / f"{name}.config").write_text(str(config))
    return json.loads(run(tfod_python, "check_with_tfod.py", PROJECT / "containers" / "tfod", folder).splitlines()[-1])


def run(python: Path, program: str, *arguments: Path) -> str:
    done = subprocess.run([python, HERE / program, *arguments], capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stderr
    return done.stdout


def test_the_golden_files_are_tensorflows(tfod_python: Path, tmp_path: Path) -> None:
    run(tfod_python, "make_golden.py", tmp_path)
    for name in ("framing.tfrecord", "examples.tfrecord"):
        assert (tmp_path / name).read_bytes() == (HERE / "golden" / name).read_bytes()


def test_its_decoder_reads_the_records(told, dataset: DetectionDataset) -> None:
    records = {record["name"]: record for record in told[0]}
    assert list(records) == dataset.images["file_name"].tolist()
    for image in dataset.images.itertuples():
        record, boxes = records[str(image.file_name)], dataset.boxes_of(image.image_id)
        low = boxes[["ymin", "xmin"]].to_numpy()
        corners = np.hstack([low, low + boxes[["height", "width"]].to_numpy()]) / [20, 32, 20, 32]
        np.testing.assert_allclose(np.reshape(record["boxes"], (-1, 4)), corners, atol=1e-6)
        assert record["classes"] == (boxes["class_id"] + 1).tolist()
        assert record["crowd"] == boxes["crowd"].tolist()
        assert record["difficult"] == boxes["difficult"].tolist()


def test_it_sees_the_pixels_that_the_labs_show(told, dataset: DetectionDataset) -> None:
    for record in told[0]:
        picture = np.asarray(pixels.open_rgb(dataset.root / record["name"]), dtype=int)
        assert record["shape"] == list(picture.shape)
        assert record["pixels"] == picture.sum(axis=(0, 1)).tolist(), record["name"]


def test_it_builds_the_models_that_the_linter_passes_and_no_others(told, configurations, tmp_path: Path) -> None:
    for name, (config, good) in configurations.items():
        (tmp_path / "pipeline.config").write_text(str(config))
        fields = [f.field for f in lint.lint(tmp_path / "pipeline.config") if f.severity == "error"]
        assert (told[1][name] == "") == good, (name, told[1][name])
        assert any(field.startswith("model") for field in fields) != good, (name, fields)


@pytest.mark.parametrize("family", ["faster_rcnn_resnet101_640", "ssd_mobilenet_v2_fpn_small"])
def test_an_override_merges_as_it_does_there(tfod_python: Path, tmp_path: Path, family: str) -> None:
    model = "faster_rcnn" if "faster" in family else "ssd"
    text = f"""
    model {{ {model} {{ image_resizer {{ keep_aspect_ratio_resizer {{ min_dimension: 600 max_dimension: 1024 }} }} }} }}
    train_config {{
      batch_size: 1
      data_augmentation_options {{ random_horizontal_flip {{ }} }}
      data_augmentation_options {{ random_rgb_to_gray {{ probability: 0.2 }} }}
      optimizer {{ momentum_optimizer {{ learning_rate {{ manual_step_learning_rate {{
        initial_learning_rate: 0.0003
        schedule {{ step: 900 learning_rate: 0.00003 }}
        schedule {{ step: 1200 learning_rate: 0.000003 }}
      }} }} }} }}
    }}"""
    base = pipeline.build(family, DATA, steps=100)
    contents = {"base": str(base), "override": text, "merged": str(override.overridden(base, text))}
    files = [tmp_path / name for name in contents]
    for file, content in zip(files, contents.values(), strict=True):
        file.write_text(content)
    run(tfod_python, "check_override.py", *files)
