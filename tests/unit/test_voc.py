import pytest

from lab_utils.errors import DataError
from lab_utils.formats import voc

SIZE = "<size><height>480</height><depth>3</depth><width>640</width></size>"
BOX = "<bndbox><ymax>40.5</ymax><ymin>20</ymin><xmax>31</xmax><xmin>10</xmin></bndbox>"


def annotate(folder, *parts, name="a.xml"):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text(f"<annotation>{''.join(parts)}</annotation>")
    return folder


def test_elements_are_found_in_any_order(tmp_path):
    thing = f"<object>{BOX}<difficult>1</difficult><part>{BOX}<name>lamp</name></part><name> mast </name></object>"
    read = voc.read(annotate(tmp_path, thing, "<filename>b.jpg</filename>", SIZE))
    assert read.classes == ("mast",)  # parts are no objects
    assert read.boxes[["xmin", "ymin", "width", "height"]].to_numpy().tolist() == [[10, 20, 21, 20.5]]
    assert read.boxes["difficult"].tolist() == [True]
    assert read.images[["file_name", "width", "height"]].to_numpy().tolist() == [["b.jpg", 640, 480]]


def test_one_based_pixels_become_edges(tmp_path):
    folder = annotate(tmp_path, SIZE, f"<object><name>a</name>{BOX}</object>")
    boxes = voc.read(folder, one_based=True).boxes
    assert boxes[["xmin", "ymin", "width", "height"]].to_numpy().tolist() == [[9, 19, 22, 21.5]]


def test_a_stale_file_name_gives_way_to_the_file_that_is_there(tmp_path):
    folder = annotate(tmp_path, r"<filename>C:\old\x.jpg</filename>", SIZE)
    assert voc.read(folder).images["file_name"].tolist() == ["x.jpg"]
    (tmp_path / "a.png").touch()
    assert voc.read(folder).images["file_name"].tolist() == ["a.png"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], r"a\.xml: no element 'size'; expected <size>"),
        (["<size><width>3</width></size>"], r"a\.xml: no element 'size/height'"),
        ([SIZE, f"<object>{BOX}</object>"], r"a\.xml, object 1: no element 'name'"),
        ([SIZE, "<object><name>a</name></object>"], r"a\.xml, object 1: no element 'bndbox/xmin'"),
        ([SIZE, f"<object><name>a</name>{BOX.replace('31', 'x')}</object>"], "'bndbox/xmax' is 'x'; expected a number"),
        ([SIZE, f"<object><name>dog</name>{BOX}</object>"], "object 1: unknown class 'dog'; expected one of cat, mast"),
        (["<size>"], r"a\.xml:1: not XML"),
    ],
)
def test_bad_files_are_named(tmp_path, parts, message):
    with pytest.raises(DataError, match=message):
        voc.read(annotate(tmp_path, *parts), classes=["cat", "mast"])


def test_a_list_that_names_no_annotation_is_told(tmp_path):
    annotate(tmp_path / "Annotations", SIZE)
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match=r"train\.txt:2: no annotation for 'b'"):
        voc.read(tmp_path)


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(DataError, match=r"expected \*\.xml"):
        voc.read(tmp_path)


def test_bccd(shared_data):
    data = voc.read(shared_data / "bccd")
    assert len(data) == 364
    assert data.class_counts().to_dict() == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    assert data.images["split"].value_counts().to_dict() == {"training": 205, "validation": 87, "test": 72}
    assert data.image_path(1).is_file()
