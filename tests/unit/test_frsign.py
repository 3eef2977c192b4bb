"""FRSign v1.0: reading, filters, shared pictures, writing, bad input, speed at the real set's size."""

import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import frsign, load
from lab_utils.formats.frsign_index import BOX_COLUMNS, INDEX, LEVELS, SEQUENCE_COLUMNS
from lab_utils.synthetic import CHASSIS

FOLDER = "RecFile_{}_20181011_153137_pointgrey_flycapture2_1_ipl_image"


def sequence_row(number: int, kind: str, **changes: object) -> dict:
    row = dict.fromkeys(SEQUENCE_COLUMNS, "x")
    row |= {"sequence": number, "type": kind, "CameraInfo_sensorResolution": "1920x1200", "context": "gare"}
    row |= {"datetime": pd.Timestamp("2018-10-11 15:31:37"), "fps": 20.0, "on_track": True, "optic": 25}
    return row | changes


def write_h5(path, boxes, sequences, negatives=None):
    """As the original was: pandas' own `to_hdf`, strings as objects."""
    frame = pd.DataFrame(boxes, columns=[*LEVELS, *BOX_COLUMNS])
    frame.astype({"fullpath": object}).set_index(LEVELS).to_hdf(path, key="images", format="table")
    table = pd.DataFrame(sequences)
    text = table.select_dtypes(include=["object", "string"]).columns
    table.astype(dict.fromkeys(text, object)).set_index("sequence").to_hdf(path, key="dataframe", format="table")
    if negatives:
        empty = pd.DataFrame(negatives, columns=[*LEVELS, "fullpath"]).astype({"fullpath": object})
        empty.set_index(LEVELS).to_hdf(path, key="negatives", format="table")


@pytest.fixture
def root(tmp_path):
    """Two sequences that share a picture, one of another size, one frame without a signal."""
    boxes = [
        (83, 0, f"{FOLDER.format(1)}/33734_rgb.png", 882, 528, 15, 21),
        (83, 1, f"{FOLDER.format(1)}/33735_rgb.png", 880, 526, 16, 22),
        (83, 1, f"{FOLDER.format(1)}/33735_rgb.png", 1000, 500, 16, 22),
        (90, 0, f"{FOLDER.format(1)}/33735_rgb.png", 400, 500, 30, 90),
        (91, 0, f"{FOLDER.format(2)}/7_rgb.png", 10, 20, 30, 40),
    ]
    sequences = [
        sequence_row(83, CHASSIS[0], state="semaphore", context="night, fog"),
        sequence_row(90, CHASSIS[2], state="carre"),
        sequence_row(91, CHASSIS[6], on_track=False, CameraInfo_sensorResolution="1280x960"),
    ]
    write_h5(tmp_path / INDEX, boxes, sequences, [(83, 2, f"{FOLDER.format(1)}/33736_rgb.png")])
    for number in (1, 2):
        (tmp_path / FOLDER.format(number)).mkdir()
    return tmp_path


def test_tables(root):
    dataset = frsign.read(root)
    assert dataset.classes == CHASSIS
    names = dataset.images["file_name"].str.rpartition("/")[2].tolist()
    assert names == ["33734_rgb.png", "33735_rgb.png", "33736_rgb.png", "7_rgb.png"]
    assert dataset.images["width"].tolist() == [1920, 1920, 1920, 1280]
    first = dataset.boxes_of(0).iloc[0]
    assert first[["xmin", "ymin", "width", "height"]].tolist() == [882, 528, 15, 21]
    assert dataset.boxes_of(1)["class_id"].tolist() == [0, 0, 2]
    assert dataset.boxes_of(1)["state"].tolist() == ["semaphore", "semaphore", "carre"]
    assert dataset.boxes["source_row"].tolist() == [1, 2, 3, 4, 5]
    assert dataset.images["light"].tolist() == ["night"] * 3 + [""]
    assert dataset.images["weather"].tolist() == ["fog"] * 3 + [""]
    assert dataset.images["state"][0] == "semaphore"


def test_sequences_that_share_a_picture_are_one_group(root):
    assert frsign.read(root).images["group"].tolist() == ["83", "83", "83", "91"]


def test_the_file_itself_and_the_prefix_are_understood(root):
    assert len(frsign.read(root / INDEX)) == len(load(f"frsign:{root}")) == 4


def test_filters(root):
    assert frsign.read(root, on_track=True).images["group"].unique().tolist() == ["83"]
    assert frsign.read(root, on_track=False).images["group"].unique().tolist() == ["91"]
    assert len(frsign.read(root, resolution=(1920, 1200))) == 3
    assert len(frsign.read(root, negatives=False)) == 3
    negative = frsign.read(root).boxes_of(2)
    assert len(negative) == 0


def test_a_class_beyond_the_seven_comes_after_them(root):
    boxes = [(1, 0, f"{FOLDER.format(1)}/1_rgb.png", 1, 2, 3, 4), (2, 0, f"{FOLDER.format(1)}/2_rgb.png", 1, 2, 3, 4)]
    (root / INDEX).unlink()
    write_h5(root / INDEX, boxes, [sequence_row(1, "Chassis Z"), sequence_row(2, CHASSIS[1])])
    dataset = frsign.read(root)
    assert dataset.classes == (*CHASSIS, "Chassis Z")
    assert dataset.boxes["class_id"].tolist() == [7, 1]


def pictured(root):
    for name in frsign.read(root).images["file_name"]:
        Image.new("RGB", (4, 3)).save(root / name)


def test_written_and_read_back_equal(root, tmp_path):
    pictured(root)
    dataset = frsign.read(root)
    frsign.write(dataset, tmp_path / "copy")
    again = frsign.read(tmp_path / "copy")
    pd.testing.assert_frame_equal(again.images, dataset.images)
    pd.testing.assert_frame_equal(again.boxes, dataset.boxes)


def foreign(folder, boxes):
    Image.new("RGB", (8, 6), "red").save(folder / "a.jpg")
    images = pd.DataFrame({"image_id": [5], "file_name": ["a.jpg"], "width": [8], "height": [6], "group": ["g"]})
    table = pd.DataFrame(boxes, columns=["image_id", "class_id", "xmin", "ymin", "width", "height"])
    return DetectionDataset.from_frames(images, table, ["cat", "dog"], root=folder)


def test_another_format_becomes_frsign(tmp_path):
    dataset = foreign(tmp_path, [(5, 1, 1, 2, 3, 4)])
    frsign.write(dataset, tmp_path / "out")
    again = frsign.read(tmp_path / "out")
    assert again.classes == ("dog",)
    assert again.boxes[["xmin", "ymin", "width", "height"]].to_numpy().tolist() == [[1, 2, 3, 4]]
    assert again.open_image(0).size == (8, 6)
    assert np.array_equal(np.asarray(again.open_image(0)), np.asarray(dataset.open_image(5)))


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([(5, 1, 1.5, 2, 3, 4)], r"a\.png, column 'x': 1\.5; FRSign's boxes are in whole pixels"),
        ([(5, 0, 1, 2, 3, 4), (5, 1, 1, 2, 3, 4)], "sequence 1: classes 'cat' and 'dog'"),
    ],
)
def test_what_frsign_cannot_say_is_refused(tmp_path, boxes, message):
    with pytest.raises(DataError, match=message):
        frsign.write(foreign(tmp_path, boxes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def rewrite(root, key, change):
    with pd.HDFStore(root / INDEX) as store:
        frame = change(store[key])
        store.remove(key)
        if frame is not None:
            text = dict.fromkeys(frame.select_dtypes(include=["string"]), object)
            store.put(key, frame.astype(text), format="table", track_times=False)


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("images", lambda f: f.drop(columns="w"), "/images: no column 'w'"),
        ("dataframe", lambda f: f.drop(columns="type"), "/dataframe: no column 'type'"),
        ("images", lambda _: None, "no key '/images'"),
        ("dataframe", lambda f: f.drop(index=91), "sequence 91 is not in /dataframe"),
        (
            "dataframe",
            lambda f: f.assign(CameraInfo_sensorResolution="big"),
            "sequence 83, column 'CameraInfo_sensorResolution': 'big'; expected",
        ),
    ],
)
def test_bad_tables_are_named(root, key, change, message):
    rewrite(root, key, change)
    with pytest.raises(DataError, match=message) as caught:
        frsign.read(root)
    assert INDEX in str(caught.value)


def test_missing_and_unreadable_files_are_named(root, tmp_path):
    (root / FOLDER.format(2)).rmdir()
    with pytest.raises(DataError, match=r"column 'fullpath': no folder RecFile_2_.* \(1 of 2 folders missing\)"):
        frsign.read(root)
    with pytest.raises(DataError, match="no such file"):
        frsign.read(tmp_path / "nowhere")
    (root / INDEX).write_bytes(b"not HDF5 at all")
    with pytest.raises(DataError, match="not a readable HDF5 file") as caught:
        frsign.read(root)
    assert "\n" not in str(caught.value)


def test_a_set_of_the_real_size_is_read_in_seconds(tmp_path):
    rows, sequences = 105_352, 393
    number = np.arange(rows) * sequences // rows + 83
    frame = pd.DataFrame({"sequence": number, "image": np.arange(rows)})
    frame["fullpath"] = [f"{FOLDER.format(1)}/{i // 2}_rgb.png" for i in range(rows)]
    frame = frame.assign(x=1, y=2, w=15, h=21)
    table = [sequence_row(int(i), CHASSIS[i % 7]) for i in np.unique(number)]
    write_h5(tmp_path / INDEX, frame.to_numpy().tolist(), table)
    (tmp_path / FOLDER.format(1)).mkdir()
    start = time.process_time()
    dataset = frsign.read(tmp_path)
    assert time.process_time() - start < 5
    assert len(dataset.boxes) == rows
    assert len(dataset) == rows // 2
    assert dataset.images["group"].nunique() > 1
