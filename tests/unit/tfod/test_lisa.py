import pytest
from PIL import Image

from lab_utils import formats, splits
from lab_utils.dataset import XYWH
from lab_utils.errors import DataError
from lab_utils.formats import lisa

FOLDER = "vid5/frameAnnotations-vid_cmp2.avi_annotations"
ROW = f"{FOLDER}/pedestrian_1323822805.avi_image4.png;pedestrianCrossing;333;217;367;248;0,0;vid5/vid_cmp2.avi;2729;"
ROW += "pedestrian_1323822805.avi;22"
LIGHTS = (
    "Filename;Annotation tag;Upper left corner X;Upper left corner Y;Lower right corner X;Lower right corner Y;"
    "Origin file;Origin frame number;Origin track;Origin track frame number"
)


def row(name, tag="stop", track=None, frame=0, drive="vid0/a.avi", flags="0,0"):
    return f"{name};{tag};10;12;30;36;{flags};{drive};{frame};{track or name};0"


@pytest.fixture
def saved(tmp_path):
    """A function that writes rows and, of each, a frame; it returns the folder."""

    def save(*rows, header=lisa.HEADER, negatives=0):
        names = {text.split(";")[0] for text in rows} | {f"negatives/{i}.png" for i in range(negatives)}
        for name in names - {""}:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (640, 480)).save(tmp_path / name)
        (tmp_path / lisa.ANNOTATIONS).write_text("\r\n".join([header, *rows, ""]))
        return tmp_path

    return save


def test_a_row_of_the_set_is_read(saved):
    read = formats.load(f"lisa:{saved(ROW)}")
    assert read.classes == ("pedestrianCrossing",)
    assert read.boxes[XYWH].values.tolist() == [[333, 217, 34, 31]]
    image = read.images.iloc[0]
    assert (image["width"], image["height"], image["group"]) == (640, 480, "pedestrian_1323822805.avi")
    assert (image["origin_file"], image["origin_frame"], image["track_frame"]) == ("vid5/vid_cmp2.avi", 2729, 22)


def test_a_number_added_to_the_rows_is_passed_over(saved):
    assert lisa.read(saved(f"{ROW},12")).boxes[XYWH].values.tolist() == [[333, 217, 34, 31]]


def test_flags_several_signs_and_negatives(saved):
    folder = saved(row("a.png", flags="1,0"), row("a.png", "yield", flags="0,1"), negatives=2)
    read = lisa.read(folder)
    assert read.boxes[["occluded", "on_another_road"]].values.tolist() == [[True, False], [False, True]]
    assert len(read) == 3
    assert read.images["group"].tolist() == ["a.png", "negatives/0.png", "negatives/1.png"]
    assert lisa.read(folder / lisa.ANNOTATIONS, classes=["yield", "stop"]).boxes["class_id"].tolist() == [1, 0]


def test_traffic_lights_are_read(saved):
    lights = "a.png;go;10;12;30;36;dayClip1/x.mp4;7;dayClip1/x;7"
    read = lisa.read(saved(lights, header=LIGHTS))
    assert (read.classes, read.images["group"][0]) == (("go",), "dayClip1/x")


def test_tracks_that_overlap_in_a_drive_are_one_group(saved):
    rows = [
        *(row(f"a{i}.png", track="a", frame=i) for i in (0, 5, 10)),
        *(row(f"b{i}.png", track="b", frame=i) for i in (8, 15)),  # begins before a has ended
        *(row(f"c{i}.png", track="c", frame=i) for i in (16, 20)),
        *(row(f"d{i}.png", track="d", frame=i, drive="vid1/a.avi") for i in (0, 5)),
    ]
    images = lisa.read(saved(*rows)).images
    assert images.groupby("group")["file_name"].agg("".join).to_dict() == {
        "a": "a0.pnga5.pnga10.pngb8.pngb15.png",
        "c": "c16.pngc20.png",
        "d": "d0.pngd5.png",
    }


def test_a_split_cuts_no_track(saved):
    rows = [row(f"{t}_{i}.png", track=f"{t}", frame=100 * t + i) for t in range(12) for i in range(5)]
    parts = splits.split(lisa.read(saved(*rows)))
    assert splits.audit_leakage(parts, pixels=False).empty
    assert all(part.images["group"].value_counts().eq(5).all() for part in parts.values())


def test_what_is_written_is_read(saved, tmp_path):
    read = lisa.read(saved(ROW, row("a.png", flags="1,0"), negatives=1))
    before = (tmp_path / lisa.ANNOTATIONS).read_text().split()
    lisa.write(read, tmp_path)
    assert (tmp_path / lisa.ANNOTATIONS).read_text().split() == before
    assert lisa.read(tmp_path).same_content(read)
    read.images["file_name"] = read.images["file_name"].str.replace("negatives/", "")
    with pytest.raises(DataError, match="no signs; put such images below negatives/"):
        lisa.write(read, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (row("a.png").replace("10", "ten"), "allAnnotations.csv:2: column 'Upper left corner X' is 'ten'"),
        (row("a.png").rpartition(";")[0], "2: 11 values; the header has 12 columns"),
        (row("a.png", tag=" "), "2: column 'Annotation tag' is empty"),
        (row("a.png", track=" "), "2: column 'Origin track' is empty"),
        ("", "no rows"),
    ],
)
def test_a_bad_row_is_named(saved, text, message):
    with pytest.raises(DataError) as error:
        lisa.read(saved(text))
    assert message in str(error.value)


def test_a_bad_set_is_named(saved, tmp_path):
    folder = saved(row("a.png"))
    (folder / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png: image not found; its size is needed"):
        lisa.read(folder)
    with pytest.raises(DataError, match="1: no column 'Origin track'"):
        lisa.read(saved(row("a.png"), header=lisa.HEADER.replace("Origin track;", "")))
    (folder / lisa.ANNOTATIONS).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        lisa.read(folder)
