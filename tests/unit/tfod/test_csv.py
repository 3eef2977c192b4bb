from pathlib import Path

import pytest
from PIL import Image
from unit.test_formats import dataset, same  # noqa: F401 (a fixture)

from lab_utils import formats
from lab_utils.errors import DataError
from lab_utils.formats import csv, voc

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
XML = """<annotation><object><bndbox><ymax>9</ymax><xmin>1</xmin><xmax>5</xmax><ymin>2</ymin></bndbox>
<name>a, "b"</name>
</object><size><height>20</height><depth>3</depth><width>10</width></size><filename>p.jpg</filename></annotation>"""


def test_everything_survives(dataset, tmp_path):  # noqa: F811
    read = csv.read(csv.write(dataset, tmp_path / "a.csv"), classes=dataset.classes)
    same(read, dataset, image_ids=False, atol=1e-9)
    assert read.images["split"].tolist() == dataset.images["split"].tolist()


def test_a_plain_set_has_the_columns_of_the_tutorials_alone(tmp_path):
    (tmp_path / "p.xml").write_text(XML)
    csv.write(voc.read(tmp_path), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == HEADER + 'p.jpg,10,20,"a, ""b""",1,2,5,9\n'
    assert csv.read(tmp_path / "a.csv").same_content(voc.read(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "filename,class,xmin,xmax,ymin,ymax\nx.png,b,1,5,2,9\nx.png,a,0,1,0,1\n",
        "\ufefffilename;width;height;class;xmin;ymin;xmax;ymax\r\nx.png;64;48;b;1;2;5;9\r\n\r\nx.png;64;48;a;0;0;1;1\r\n",
        HEADER + "x.png,0,0,b,1.0,2,5,9\nx.png, 0, 0, a, 0, 0, 1, 1\n",
    ],
)
def test_variants_in_use_are_read(text, tmp_path):
    (tmp_path / "JPEGImages").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "JPEGImages" / "x.png")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    read = formats.load(f"csv:{tmp_path / 'a.csv'}")
    assert read.images[["file_name", "width", "height"]].values.tolist() == [["x.png", 64, 48]]
    assert read.classes == ("a", "b")
    assert read.boxes[["class_id", "xmin", "ymin", "width", "height"]].values.tolist() == [
        [1, 1, 2, 4, 7],
        [0, 0, 0, 1, 1],
    ]
    assert read.image_path(1).is_file()


def test_a_negative_is_kept(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "x.png,64,48,,,,,\ny.png,64,48,a,0,0,1,1\n")
    read = csv.read(tmp_path / "a.csv")
    assert (len(read), len(read.boxes)) == (2, 1)
    assert "x.png,64,48,,,,,\n" in csv.write(read, tmp_path / "b.csv").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: no column 'filename'; expected filename,width,height,class,xmin,ymin,xmax,ymax"),
        ("filename,class,xmin,ymin,xmax\n", "1: no column 'ymax'"),
        (HEADER, "no rows"),
        (HEADER + "x.png,64,48,a,0,0,1\n", "2: 7 values; the header has 8 columns"),
        (HEADER + "x.png,64,48,a,0,0,one,1\n", "2: column 'xmax' is 'one'; expected a number of pixels"),
        (HEADER + "x.png,64,48,a,0,0,,1\n", "2: column 'xmax' is ''"),
        (HEADER + "x.png,64,48,a,0,0,1,1\nx.png,48,64,a,0,0,1,1\n", "3: x.png is 48 x 64 here, 64 x 48 before"),
        (HEADER + "x.png,64,48,,0,0,1,1\n", "2: column 'class' is empty"),
        (HEADER + ",64,48,a,0,0,1,1\n", "2: column 'filename' is empty"),
        (HEADER + "x.png,0,0,a,0,0,1,1\n", "x.png: image not found; its size is needed"),
    ],
)
def test_a_bad_file_is_named(text, message, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError) as error:
        csv.read(tmp_path / "a.csv")
    assert message in str(error.value)


def test_an_unknown_class_is_named_with_its_line(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "x.png,64,48,a,0,0,1,1\nx.png,64,48,b,0,0,1,1\n")
    with pytest.raises(DataError, match=r"a\.csv:3: unknown class 'b'; expected one of a"):
        csv.read(tmp_path / "a.csv", classes=["a"])


def test_the_xml_files_of_real_photographs_become_csv(shared_data: Path, tmp_path: Path):
    photos = voc.read(shared_data / "bccd")
    read = csv.read(csv.write(photos, tmp_path / "bccd.csv"), photos.root)
    same(read, photos, image_ids=False)
