import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from unit.recordio.payloads import PAYLOADS

from lab_utils import formats, validation
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import coco, record_file, recordio
from lab_utils.formats.record_label import Record, pack

GOLDEN = Path(__file__).parent / "golden"
IMAGE = (GOLDEN / "images/c.jpg").read_bytes()


@pytest.fixture
def dataset():
    return coco.read(GOLDEN / "boxes.json", GOLDEN / "images")


def labelled(folder, *labels, image=IMAGE):
    """A .rec with one record a label."""
    path = folder / "made.rec"
    with record_file.RecordWriter(path) as writer:
        for id_, label in enumerate(labels):
            writer.append(id_, pack(Record(id_, np.asarray(label, dtype=np.float32), image)))
    return path


def test_records_are_framed_as_mxnet_frames_them():
    assert b"".join(map(record_file.frame, PAYLOADS)) == (GOLDEN / "framing.rec").read_bytes()


def test_records_that_mxnet_framed_are_read():
    read = list(record_file.records(GOLDEN / "framing.rec"))
    assert [data for _, data in read] == PAYLOADS
    assert [position for position, _ in read][:4] == [0, 8, 20, 32]


@pytest.mark.parametrize(("name", "extended"), [("plain", False), ("extended", True)])
def test_a_data_set_is_packed_as_im2rec_packs_it(dataset, tmp_path, name, extended):
    account = recordio.write(dataset, tmp_path / "a.rec", size_header=extended)
    for suffix in (".rec", ".idx"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (GOLDEN / f"{name}{suffix}").read_bytes()
    assert (account.images, account.boxes, account.negatives) == (4, 5, 1)
    assert account.label_width == (4 if extended else 2) + 10


def test_what_im2rec_packed_is_read(dataset, tmp_path):
    read = recordio.read(GOLDEN / "plain.rec", tmp_path / "images")
    assert read.images[["file_name", "width", "height"]].equals(dataset.images[["file_name", "width", "height"]])
    np.testing.assert_allclose(read.boxes[XYWH], dataset.boxes[XYWH], atol=1e-5)
    assert read.boxes["class_id"].tolist() == dataset.boxes["class_id"].tolist()
    for name in read.images["file_name"]:
        assert (read.root / name).read_bytes() == (dataset.root / name).read_bytes()


def test_without_a_list_images_are_called_after_their_ids(dataset, tmp_path):
    recordio.write(dataset, tmp_path / "a.rec")
    (tmp_path / "a.lst").unlink()
    read = formats.load(f"recordio:{tmp_path / 'a.rec'}")
    assert read.images["file_name"].tolist() == ["00000000.png", "00000001.jpg", "00000002.jpg", "00000003.png"]
    assert read.root == tmp_path / "a_images"


def test_flags(dataset, tmp_path):
    dataset.boxes.loc[[1, 3], "crowd"] = True
    dataset.boxes.loc[4, "difficult"] = True
    account = recordio.write(dataset, tmp_path / "a.rec", difficult=True)
    assert (account.boxes, account.crowd, account.label_width) == (3, 2, 8)
    assert "2 crowd regions left out" in str(account)
    read = recordio.read(tmp_path / "a.rec", classes=dataset.classes)
    assert read.boxes["difficult"].tolist() == [False, False, True]
    recordio.write(dataset, tmp_path / "a.rec", difficult=True, crowd="keep")
    assert recordio.read(tmp_path / "a.rec").boxes["difficult"].tolist() == [False, True, False, True, True]


def test_boxes_over_the_edge_are_cut_off_and_counted(dataset, tmp_path):
    dataset.boxes.loc[0, XYWH] = [-2, 4, 30, 60]
    account = recordio.write(dataset, tmp_path / "a.rec")
    assert account.clipped == 1
    assert "1 boxes cut off" in str(account)
    np.testing.assert_allclose(recordio.read(tmp_path / "a.rec").boxes[XYWH].iloc[0], [0, 4, 28, 44], atol=1e-5)


def test_an_index_is_made_anew(dataset, tmp_path):
    recordio.write(dataset, tmp_path / "a.rec")
    index = (tmp_path / "a.idx").read_bytes()
    (tmp_path / "a.idx").unlink()
    assert recordio.write_index(tmp_path / "a.rec").read_bytes() == index


def test_a_failed_write_leaves_what_was_there(dataset, tmp_path):
    recordio.write(dataset, tmp_path / "a.rec")
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    broken = DetectionDataset.from_frames(dataset.images, dataset.boxes, dataset.classes, root=tmp_path)
    with pytest.raises(DataError, match=r"day/a\.png: image not found"):
        recordio.write(broken, tmp_path / "a.rec")
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-3], r"record 4: at byte 1632: ends after \d+ of \d+ bytes; the file is damaged"),
        (lambda data: data + b"\x0a\x23", "record 5: at byte 1788: the file ends within a header"),
        (lambda data: b"PK\3\4" + data[4:], "record 1: at byte 0: 504b0304 instead of the magic number 0a23d7ce"),
        (lambda data: data[:4] + struct.pack("<I", 3 << 29) + data[8:], "flag 3; expected a record to begin"),
        (lambda data: data[:4] + struct.pack("<I", (1 << 29) + 4) + data[8:], "instead of the magic"),
        (lambda data: record_file.frame(b"not an image"), "12 bytes; expected MXNet's header of 24"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, damage, message):
    (tmp_path / "a.rec").write_bytes(damage((GOLDEN / "plain.rec").read_bytes()))
    with pytest.raises(DataError, match=message):
        list(recordio.stream(tmp_path / "a.rec"))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("0\t0\n1\t300\n2\t0\n3\t1636\n", "record 1, id 0, starts at byte 0"),
        ("0\t0\n1\t300\n", r"record 2, id 1, starts at byte \d+; make it anew with recordio\.write_index"),
        ("0 0\n", r"a\.idx:1: '0 0'; expected KEY<tab>POSITION"),
        (None, "5 entries, but a.rec has 4 records"),
    ],
)
def test_an_index_of_another_file_is_refused(tmp_path, index, message):
    (tmp_path / "a.rec").write_bytes((GOLDEN / "plain.rec").read_bytes())
    (tmp_path / "a.idx").write_text((GOLDEN / "plain.idx").read_text() + "4\t9999\n" if index is None else index)
    with pytest.raises(DataError, match=message):
        list(recordio.stream(tmp_path / "a.rec"))


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ([2, 5, 0, 0.1, 0.1, 52.3, 0.9], "object 1: xmax is 52.3; expected a ratio from 0 to 1: divide pixels"),
        ([2, 5, 0, 0.1, 0.1, 0.1, 0.9], "object 1: xmax is 0.1; the box has no width: expected xmax > xmin"),
        ([2, 5, 1, 0, 0, 1, 1, 0, 0.1, 0.5, 0.2, 0.5], "object 2: ymax is 0.5; the box has no height"),
        ([2, 5, 0.5, 0, 0, 1, 1], "class is 0.5; expected an integer from 0"),
        ([2, 5, 0, 0, 0, float("nan"), 1], "xmax is nan"),
        ([2, 5, 0, 0, 0, 1], "6 values, of which 2 are the header; the rest is no multiple of an object's 5"),
        ([2, 4, 0, 0, 0, 1], "the label begins 2, 4; expected its header's width"),
        ([3], "a class alone"),
        ([2, 5, 2, 0, 0, 1, 1], "class ids go up to 2, but no object has 0; number the classes 0, 1, 2"),
    ],
)
def test_a_bad_label_is_named(tmp_path, label, message):
    with pytest.raises(DataError, match=message) as error:
        recordio.read(labelled(tmp_path, [2, 5, 1, 0, 0, 1, 1], label))
    assert "record 2 (id 1)" in str(error.value) or "class ids" in message


def test_a_gap_is_allowed_where_all_classes_are_named(tmp_path):
    path = labelled(tmp_path, [2, 5, 2, 0, 0, 1, 1])
    assert recordio.read(path, classes="abc").class_counts().tolist() == [0, 0, 1]
    with pytest.raises(DataError, match="class id 2 occurs; classes has 2 names, for 0 to 1"):
        recordio.read(path, classes="ab")


def test_label_width(dataset, tmp_path):
    message = "the label has 12 values; label_width is 11: set label_width to 12 or more"
    with pytest.raises(DataError, match=f"boxes: day/a.png: {message}"):
        recordio.write(dataset, tmp_path / "a.rec", label_width=11)
    with pytest.raises(DataError, match=f"record 1 .*: {message}"):
        list(recordio.stream(GOLDEN / "plain.rec", label_width=11))
    assert len(list(recordio.stream(GOLDEN / "plain.rec", label_width=12))) == 4


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("width", 0, r"box 1: .* in day/a\.png \(64 x 48\): no area; drop such boxes with validation\.drop_invalid"),
        ("xmin", 64, "no area"),
        ("xmin", float("nan"), "no area"),
        ("class_id", 3, "box 1: class_id is 3; expected 0 to 2"),
        ("image_id", 9, "box 1: image_id is 9; expected an image"),
    ],
)
def test_a_bad_box_is_named(dataset, tmp_path, column, value, message):
    dataset.boxes.loc[1, column] = value
    with pytest.raises(DataError, match=message):
        recordio.write(dataset, tmp_path / "a.rec")
    assert not list(tmp_path.iterdir())


def test_other_mistakes_are_named(dataset, tmp_path):
    with pytest.raises(ConfigError, match=r"ends in \.rec"):
        recordio.write(dataset, tmp_path / "a.record")
    with pytest.raises(ConfigError, match="crowd='ignore'"):
        recordio.write(dataset, tmp_path / "a.rec", crowd="ignore")
    with pytest.raises(DataError, match=r"record 1 \(id 0\): no readable image"):
        recordio.read(labelled(tmp_path, [2, 5, 0, 0, 0, 1, 1], image=b"text"))
    path = labelled(tmp_path, [2, 5, 0, 0, 0, 1, 1])
    path.with_suffix(".lst").write_text("0\t2\t../up.jpg\n")
    with pytest.raises(DataError, match=r"made\.lst:1: '\.\./up\.jpg' leads out"):
        recordio.read(path)
    with pytest.raises(DataError, match="no such file"):
        recordio.read(tmp_path / "none.rec")


def test_real_photographs_survive_the_round_trip(shared_data, tmp_path):
    photos = formats.load(f"voc:{shared_data / 'bccd'}")
    photos = validation.drop_invalid(photos, validation.validate(photos, pixels=False)).where(photos.images.index < 40)
    account = recordio.write(photos, tmp_path / "a.rec")
    assert account.label_width == 2 + 5 * photos.boxes["image_id"].value_counts().max()
    read = recordio.read(tmp_path / "a.rec", classes=photos.classes)
    assert read.images["file_name"].tolist() == photos.images["file_name"].tolist()
    np.testing.assert_allclose(read.boxes[XYWH], photos.boxes[XYWH], atol=1e-3)
