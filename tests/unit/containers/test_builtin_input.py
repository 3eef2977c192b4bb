"""The built-in algorithm's input: three formats that give the same records, and what is refused before training."""

import io
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin import channels, recordio
from builtin.hyperparameters import Settings
from detection.pictures import PictureCache, boxes_of
from PIL import Image
from sagemaker_contract import Environment, UserError

from lab_utils.formats import record_file

SETTINGS = Settings(num_classes=3, num_training_samples=3, label_width=20)
SIZE = (64, 48)
BOXES = {"0": [(0, 4.5, 5, 20, 10)], "1": [(1, 0, 0, 64, 48), (2, 30, 30, 8, 8.25)], "2": []}
RECORDIO = {"ContentType": "application/x-recordio", "TrainingInputMode": "File"}
IMAGES = {"ContentType": "image/png", "TrainingInputMode": "File"}
PIPE = {**RECORDIO, "TrainingInputMode": "Pipe"}


def picture(name: str, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", SIZE, (40 * int(name), 90, 200)).save(stream, kind)
    return stream.getvalue()


def description(name: str, boxes: list[tuple[float, ...]]) -> dict[str, Any]:
    keys = ("class_id", "left", "top", "width", "height")
    return {
        "file": f"{name}.png",
        "image_size": [{"width": SIZE[0], "height": SIZE[1], "depth": 3}],
        "annotations": [dict(zip(keys, box, strict=True)) for box in boxes],
        "categories": [{"class_id": i, "name": f"class {i}"} for i in range(3)],
    }


def packed(number: int, boxes: list[tuple[float, ...]], image: bytes, header: tuple[float, ...] = (2, 5)) -> bytes:
    rows = [(c, x / SIZE[0], y / SIZE[1], (x + w) / SIZE[0], (y + h) / SIZE[1]) for c, x, y, w, h in boxes]
    label = np.array([*header, *np.ravel(rows or [(-1,) * 5])], "<f4")
    return struct.pack("<IfQQ", len(label), 0, number, 0) + label.tobytes() + image


class Job:
    """A job's folder with both channels, in one of the formats."""

    def __init__(self, base: Path) -> None:
        self.data, self.configs = base / "input/data", {}
        for split in channels.SPLITS:
            (self.data / split).mkdir(parents=True)

    def images(self) -> "Job":
        for split in channels.SPLITS:
            annotations = self.data / f"{split}_annotation"
            annotations.mkdir()
            for name, boxes in BOXES.items():
                (self.data / split / f"{name}.png").write_bytes(picture(name))
                (annotations / f"{name}.json").write_text(json.dumps(description(name, boxes)))
            self.configs |= {split: IMAGES, annotations.name: IMAGES}
        return self

    def recordio(self, *records: bytes) -> "Job":
        whole = records or [packed(i, boxes, picture(name)) for i, (name, boxes) in enumerate(BOXES.items())]
        for split in channels.SPLITS:
            with record_file.RecordWriter(self.data / split / "a.rec") as writer:
                for record in whole:
                    writer.append(int.from_bytes(record[8:16], "little"), record)
            self.configs[split] = RECORDIO
        return self

    def piped(self) -> "Job":
        self.recordio()
        for split in channels.SPLITS:
            (self.data / f"{split}_0").write_bytes((self.data / split / "a.rec").read_bytes())
            self.configs[split] = PIPE
        return self

    def augmented(self, *parts: bytes) -> "Job":
        whole = parts or [
            part
            for name, boxes in BOXES.items()
            for part in (picture(name), json.dumps(description(name, boxes)).encode())
        ]
        for split in channels.SPLITS:
            (self.data / f"{split}_0").write_bytes(b"".join(map(record_file.frame, whole)))
            self.configs[split] = {**PIPE, "RecordWrapperType": "RecordIO"}
        return self

    def load(self, settings: Settings = SETTINGS) -> Any:
        folders = {name: self.data / name for name in self.configs}
        base = self.data.parents[1]
        return channels.load(Environment(base, channels=folders, channel_configs=self.configs), settings)

    def refused(self, settings: Settings = SETTINGS) -> str:
        with pytest.raises(UserError) as refused:
            self.load(settings)
        return str(refused.value)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


FORMS: list[Callable[[Job], Job]] = [Job.images, Job.recordio, Job.piped, Job.augmented]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_format_gives_the_same_records(form: Callable[[Job], Job], job: Job) -> None:
    data = form(job).load()
    assert data.classes == ["class 0", "class 1", "class 2"]
    for records in (data.training, data.validation):
        assert [record["image_id"] for record in records] == [0, 1, 2]
        for record, (name, expected) in zip(records, BOXES.items(), strict=True):
            opened = PictureCache(0).open(record)
            assert opened.getpixel((0, 0)) == (40 * int(name), 90, 200)
            boxes, class_ids = boxes_of(record)
            truth = np.array(expected).reshape(-1, 5)
            assert class_ids.tolist() == truth[:, 0].tolist()
            np.testing.assert_allclose(boxes, np.c_[truth[:, 1:3], truth[:, 1:3] + truth[:, 3:]], atol=1e-4)


def test_objects_may_be_wider_and_headers_longer(job: Job) -> None:
    label = np.array([4, 6, *SIZE, 1, 0.25, 0.25, 0.5, 0.5, 1], "<f4")
    record = struct.pack("<IfQQ", len(label), 0, 0, 0) + label.tobytes() + picture("0", "JPEG")
    assert job.recordio(packed(1, BOXES["0"], picture("0")), record).load().training[1]["annotations"][0]["bbox"] == [
        16, 12, 16, 12,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([(3, 1, 1, 5, 5)], "class_id is 3, num_classes 3, expected an integer from 0 to 2: ids must run"),
        ([(-1, 1, 1, 5, 5)], "class_id is -1, num_classes 3"),
        ([(0.5, 1, 1, 5, 5)], "class_id is 0.5"),
        ([(0, 1, 1, 0, 5)], "width 0 and height 5, expected above 0: leave out boxes without area"),
        ([(0, 1, 1, 5, -2)], "width 5 and height -2"),
        ([(0, 60, 1, 30, 5)], "left 60, top 1, width 30, height 5 lead out of the picture of 64x48"),
        ([(0, -9, 1, 30, 5)], "lead out of the picture"),
        ([(0, 0.1, 0.2, 0.5, 0.5)], "no coordinate is above 1, expected pixels of a 64x48 picture, not ratios"),
        ([(0, 1, 1, 5, 5)] * 4, "its label has 22 values .* label_width is 20: set label_width to 22 or more"),
        ([("x", 1, 1, 5, 5)], "annotation 1: .*, expected numbers class_id, left, top, width, height"),
    ],
)
def test_boxes_that_json_may_not_have(boxes: list[tuple[float, ...]], message: str, job: Job) -> None:
    job.images()
    path = job.data / "train_annotation/1.json"
    path.write_text(json.dumps(description("1", boxes)))
    reason = job.refused()
    assert reason.startswith("train_annotation/1.json")
    assert re.search(message, reason), reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "9.png"}, "train_annotation/1.json: file is '9.png', of which channel train has no picture"),
        ({"file": "../train/1.png"}, "has no picture"),
        ({"file": None}, "no file, expected an object"),
        ({"image_size": [{"width": 9, "height": 48}]}, "image_size is 9x48, the picture has 64x48 pixels"),
        ({"image_size": []}, "no image_size"),
        ({"annotations": None}, "no list annotations"),
        (
            {"categories": [{"class_id": 90, "name": "x"}]},
            "train_annotation: 3 is missing among the class_ids of categories",
        ),
        ({"categories": [{"name": "x"}]}, "categories, expected class_id and name"),
    ],
)
def test_json_that_contradicts_itself(change: dict[str, Any], message: str, job: Job) -> None:
    job.images()
    content = {**description("1", BOXES["1"]), **change}
    (job.data / "train_annotation/1.json").write_text(json.dumps(content))
    assert message in job.refused()


def test_categories_leave_no_gap(job: Job) -> None:
    job.images()
    for name, boxes in BOXES.items():
        content = {
            **description(name, boxes),
            "categories": [{"class_id": 0, "name": "a"}, {"class_id": 2, "name": "c"}],
        }
        (job.data / f"train_annotation/{name}.json").write_text(json.dumps(content))
    assert (
        "train_annotation: 1 is missing among the class_ids of categories, expected 0 to 2 without a gap"
        in job.refused()
    )


def test_a_picture_and_its_json_belong_together(job: Job) -> None:
    job.images()
    (job.data / "train_annotation/1.json").unlink()
    assert "channel train: 1.png has no file in train_annotation" in job.refused()
    (job.data / "train_annotation/1.json").write_text("{")
    assert "train_annotation/1.json: not JSON" in job.refused()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (packed(1, [(0, 1, 1, 200, 5)], picture("0")), "record 2, object 1: xmin, ymin, xmax, ymax are"),
        (packed(1, [(0, 1, 1, 0, 5)], picture("0")), "record 2, object 1: width 0 and height 5"),
        (packed(1, [(7, 1, 1, 5, 5)], picture("0")), "record 2, object 1: class_id is 7, num_classes 3"),
        (packed(1, [(0, 1, 1, 5, 5)] * 4, picture("0")), "record 2: its label has 22 values"),
        (packed(1, [(0, 1, 1, 5, 5)], picture("0"), (2, 4)), "record 2: the label of 7 values begins [2.0, 4.0]"),
        (packed(1, [(0, 1, 1, 5, 5)], b"GIF89a"), "record 2: not a JPEG or PNG picture"),
        (struct.pack("<IfQQ", 0, 3, 1, 0) + picture("0"), "record 2: the label of 1 values begins [3.0]"),
        (struct.pack("<IfQQ", 9999, 0, 1, 0), "record 2: 24 bytes, too short for a label of 9999 values"),
        (b"short", "record 2: 5 bytes, expected an image record"),
    ],
)
def test_records_that_recordio_may_not_have(record: bytes, message: str, job: Job) -> None:
    assert f"channel train: a.rec: {message}" in job.recordio(packed(0, BOXES["0"], picture("0")), record).refused()


def test_a_damaged_file_is_named_with_record_and_byte(job: Job) -> None:
    path = job.recordio().data / "train/a.rec"
    whole = path.read_bytes()
    second = int((job.data / "train/a.idx").read_text().splitlines()[1].split("\t")[1])
    path.write_bytes(whole[: second + 40])
    assert f"channel train: a.rec: record 2, byte {second}: ends after 32 of" in job.refused()
    path.write_bytes(whole[: second + 5])
    assert f"a.rec: record 2, byte {second}: ends within a header" in job.refused()
    path.write_bytes(whole[:second] + b"\0" * 8 + whole[second + 8 :])
    assert f"a.rec: record 2, byte {second}: 0x00000000, expected RecordIO's magic number 0xced7230a" in job.refused()
    path.write_bytes(b"")
    path.with_suffix(".idx").unlink()
    assert "channel train: no box in 0 pictures" in job.refused()


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("0\t0\n1\t8\n2\t9\n", "a.idx, line 2: '1\\t8' is no record of a.rec"),
        ("0\t0\n", "a.idx: has no line for record 1 of a.rec"),
        ("zero\t0\n", "a.idx, line 1"),
    ],
)
def test_an_index_must_belong_to_its_file(index: str, message: str, job: Job) -> None:
    job.recordio()
    (job.data / "train/a.idx").write_text(index)
    assert message in job.refused()


def test_a_record_that_was_cut_at_a_magic_number_is_whole_again() -> None:
    data = b"1234" + record_file.MAGIC + b"5678" + record_file.MAGIC + b"9"
    framed = record_file.frame(data) + record_file.frame(b"next")
    assert [found for _, found in recordio.records(io.BytesIO(framed), "x")] == [data, b"next"]


def test_an_augmented_manifests_parts_come_in_pairs(job: Job) -> None:
    label = json.dumps(description("0", BOXES["0"])).encode()
    assert "AttributeNames must be source-ref, then" in job.augmented(label, picture("0")).refused()
    assert "its last picture has no label" in job.augmented(picture("0")).refused()
    assert "line 1: the label is not JSON" in job.augmented(picture("0"), b"?").refused()


def test_class_ids_that_begin_at_one(job: Job) -> None:
    shifted = [packed(i, [(i, 1, 1, 5, 5)], picture("0")) for i in (1, 2, 3)]
    assert "class ids run from 1 to 3, expected from 0" in job.recordio(*shifted).refused(
        Settings(num_classes=4, num_training_samples=3)
    )


def test_a_channel_that_is_missing_or_of_another_kind(job: Job) -> None:
    job.recordio()
    job.configs["train"] = {**RECORDIO, "ContentType": "text/csv"}
    assert "channel train: content type text/csv, expected application/x-recordio, image/jpeg" in job.refused()
    job.configs["train"] = {**RECORDIO, "S3DistributionType": "ShardedByS3Key"}
    assert "ShardedByS3Key, expected FullyReplicated" in job.refused()
    job.configs["train"] = IMAGES
    assert "no channel 'train_annotation'" in job.refused()
    del job.configs["validation"]
    assert "no channel 'validation'" in job.refused()
