"""The built-in algorithm's data in S3: JSON files and RecordIO beside the images that are there already."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from contract.cloud import unique
from lab_utils import builtin, channels, s3
from lab_utils.dataset import DetectionDataset
from lab_utils.formats import recordio, sagemaker_json
from lab_utils.session import LabSession


@pytest.fixture
def splits(tmp_path: Path) -> dict[str, DetectionDataset]:
    """Two images a split, one box in the first."""
    made = {}
    for split in channels.SPLITS:
        names = [f"{split}/a.png", f"{split}/b.png"]
        for i, name in enumerate(names):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((24, 32, 3), i, np.uint8)).save(tmp_path / name)
        images = pd.DataFrame({"image_id": [0, 1], "file_name": names, "width": 32, "height": 24})
        boxes = pd.DataFrame({"image_id": [0], "class_id": 0, "xmin": 1.25, "ymin": 2, "width": 3.5, "height": 4})
        made[split] = DetectionDataset.from_frames(images, boxes, ["A"], root=tmp_path)
    return made


def test_both_formats_hold_what_the_splits_hold(
    lab: LabSession, splits: dict[str, DetectionDataset], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = unique("data")
    images = channels.upload(lab, splits, name)
    uris = builtin.upload_json(lab, splits, name)
    assert list(uris) == ["train", "train_annotation", "validation", "validation_annotation"]
    assert (uris["train"], uris["validation"]) == (images["training"], images["validation"])
    packed = builtin.upload_recordio(lab, splits, name)
    assert capsys.readouterr().out.count("2 images with 1 boxes; label_width >= 7; 1 images without boxes kept") == 4
    for split, channel in builtin.CHANNELS.items():
        folder = tmp_path / "back" / channel
        s3.download(lab, uris[f"{channel}_annotation"], folder)
        assert json.loads((folder / split / "a.json").read_text())["file"] == f"{split}/a.png"
        read = sagemaker_json.read(folder, images_dir=splits[split].root)
        assert read.same_content(splits[split])
        s3.download(lab, packed[channel], folder / "rec")
        again = recordio.read(folder / f"rec/{channel}.rec", classes=["A"])
        np.testing.assert_allclose(again.boxes["xmin"], [1.25], atol=1e-4)
        assert len(again) == 2
