"""`labs data`: what each action writes and prints, and how it exits."""

import json

import pytest
from PIL import Image

from lab_utils import formats, splits
from lab_utils.cli import main
from lab_utils.tfod import label_map

XML = """<annotation><filename>{name}</filename><size><width>64</width><height>48</height></size>
<object><bndbox><ymax>20</ymax><xmin>1</xmin><xmax>{right}</xmax><ymin>2</ymin></bndbox><name>{tag}</name></object>
</annotation>"""


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Twelve clips of three frames, as labelImg leaves them: XML files beside the images. The current folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for clip in range(12):
        for frame in range(3):
            name = f"clip{clip}_frame{frame}"
            Image.new("RGB", (64, 48), (clip, frame, 0)).save(folder / f"{name}.png")
            text = XML.format(name=f"{name}.png", right=9 + frame, tag=("mast", "signal")[clip % 2])
            (folder / f"{name}.xml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def said(capsys):
    """A function that runs `labs data ...` and returns exit code, output and errors."""

    def run(arguments):
        code = main(["data", *arguments.split()])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_check(photos, said):
    code, out, _ = said("check voc:photos")
    assert code == 0
    assert out.startswith("photos: 36 images, 36 boxes: 0 errors")
    (photos / "clip0_frame0.xml").write_text(XML.format(name="clip0_frame0.png", right=0, tag="mast"))
    (photos / "clip1_frame0.png").unlink()
    code, out, _ = said("check voc:photos")
    assert code == 1
    assert "degenerate-box" in out
    assert "missing-image" in out
    assert "missing-image" not in said("check voc:photos --no-pixels")[1]


@pytest.mark.parametrize(
    "target",
    [
        "coco:o/a.json",
        "csv:o/a.csv",
        "manifest:o/a.manifest",
        "recordio:o/a.rec",
        "tfrecord:o/t.tfrecord",
        "via:o/v.json",
    ],
)
def test_convert(photos, said, target):
    assert said(f"convert voc:photos {target}")[0] == 0
    read, source = formats.load(target), formats.load("voc:photos")
    assert sorted(read.images["file_name"]) == sorted(source.images["file_name"])
    assert read.boxes["width"].sum() == pytest.approx(source.boxes["width"].sum(), abs=1e-3)
    assert all((read.root / name).is_file() for name in read.images["file_name"])


def test_convert_to_voc_and_without_images(photos, said, tmp_path):
    assert said("convert voc:photos csv:a.csv --no-images")[0] == 0
    assert not (tmp_path / "images").exists()
    assert said("convert csv:a.csv voc:out --no-images")[0] == 0
    assert formats.load("voc:out").same_content(formats.load("voc:photos"))
    assert not (tmp_path / "out" / "JPEGImages").exists()


def test_csv_of_xml_and_of_via(photos, said, tmp_path):
    assert said("csv photos boxes.csv") == (0, "boxes.csv: 36 boxes in 36 images\n", "")
    first = (tmp_path / "boxes.csv").read_text().splitlines()[:2]
    assert first == ["filename,width,height,class,xmin,ymin,xmax,ymax", "clip0_frame0.png,64,48,mast,1,2,9,20"]
    regions = [
        {
            "shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4},
            "region_attributes": {"class": "a"},
        }
    ]
    content = {"clip0_frame0.png9": {"filename": "clip0_frame0.png", "size": 9, "regions": regions}}
    (photos / "via.json").write_text(json.dumps(content))
    assert said("csv photos/via.json via.csv")[0] == 0
    assert (tmp_path / "via.csv").read_text().splitlines()[1] == "clip0_frame0.png,64,48,a,1,2,4,6"


def test_labelmap(photos, said, tmp_path):
    (tmp_path / "names.txt").write_text("signal\n\nmast's \n")
    assert said("labelmap names.txt a.pbtxt") == (0, "a.pbtxt: 2 classes\n", "")
    assert [(item.id, item.name) for item in label_map.read("a.pbtxt")] == [(1, "signal"), (2, "mast's")]
    said("csv photos boxes.csv")
    for source in ("boxes.csv", "voc:photos"):
        assert said(f"labelmap {source} b.pbtxt")[0] == 0
        assert [item.name for item in label_map.read("b.pbtxt")] == ["mast", "signal"]


def test_split_cuts_no_group(photos, said, tmp_path):
    code, out, _ = said("split voc:photos out --fractions 0.8,0.2 --group (clip[0-9]+)_")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == ["out/training.csv", "out/validation.csv"]
    parts = {name: formats.load(f"csv:out/{name}.csv") for name in ("training", "validation")}
    assert splits.audit_leakage(parts, pixels=False).empty
    assert sum(map(len, parts.values())) == 36
    assert len(parts["training"].images["group"].unique()) + len(parts["validation"].images["group"].unique()) == 12
    before = (tmp_path / "out" / "training.csv").read_text()
    said("split voc:photos out --fractions 0.8,0.2 --group (clip[0-9]+)_ --seed 1")
    assert (tmp_path / "out" / "training.csv").read_text() != before


def test_without_groups_it_says_so(photos, said):
    assert "every image is a group of its own" in said("split voc:photos out")[1]


def test_tfrecord(photos, said, tmp_path):
    (photos / "clip0_frame0.xml").write_text(XML.format(name="clip0_frame0.png", right=0, tag="mast"))
    code, out, _ = said("tfrecord voc:photos out --group (clip[0-9]+)_ --shards 2")
    assert code == 0
    assert "dropped 1 × degenerate-box" in out
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    names = [f"{split}.tfrecord-0000{i}-of-00002" for split in ("test", "training", "validation") for i in (0, 1)]
    assert files == sorted([*names, "label_map.pbtxt"])
    read = formats.load("tfrecord:out")
    assert len(read) == 36
    assert splits.audit_leakage(
        {s: read.where(read.images["split"] == s) for s in ("training", "test")}, pixels=False
    ).empty


def test_tfrecord_of_some_classes(photos, said):
    assert said("tfrecord voc:photos out --group (clip[0-9]+)_ --classes signal")[0] == 0
    read = formats.load("tfrecord:out")
    assert (read.classes, len(read), len(read.boxes)) == (("signal",), 36, 18)


def test_config_and_lint(photos, said, tmp_path):
    said("tfrecord voc:photos out --group (clip[0-9]+)_ --shards 2")
    assert said("config ssd_mobilenet_v2_fpnlite_320 a.config --records out --steps 500")[0] == 0
    assert said("lint a.config") == (0, "a.config: 0 errors, 0 warnings\n", "")
    code, out, _ = said("lint a.config --steps 20")
    assert code == 1
    assert "warmup_steps is 50: the warm-up is not over" in out
    there = "/opt/ml/input/data/training"
    assert said(f"config a.config b.config --records out --at {there} --steps 100 --batch-size 16")[0] == 0
    text = (tmp_path / "b.config").read_text()
    assert f'input_path: "{there}/training.tfrecord-?????-of-00002"' in text
    assert "batch_size: 16" in text
    code, out, _ = said("lint b.config")
    assert (code, out.count("note: ")) == (0, 4)
    assert said(f"lint b.config --path {there}=out")[1] == "b.config: 0 errors, 0 warnings\n"
    assert said(f"lint b.config --path {there}=nowhere")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("check nothing:photos", "unknown format 'nothing'; expected one of coco, csv"),
        ("check voc:nowhere", "nowhere does not exist"),
        ("convert voc:photos frsign:out", "'frsign:out': frsign is not written; expected one of coco, csv"),
        ("convert voc:photos csv", "no path; expected csv:PATH"),
        ("csv nowhere a.csv", "unknown format 'nowhere'"),
        ("labelmap nowhere.txt a.pbtxt", "nowhere.txt: cannot be read"),
        ("split voc:photos out --group (", "'(': "),
        ("split voc:photos out --group clip", "expected a regular expression with (the group)"),
        ("split voc:photos out --group (frog)", "matches no file name, such as clip0_frame0.png"),
        ("tfrecord voc:photos out --shards 0", "shards=0; expected 1 to 99999"),
        ("tfrecord voc:photos out --classes cat", "no class 'cat'; there are mast, signal"),
        ("config yolo a.config --records out --steps 5", "cannot be read"),
        ("config yolo a.config --records out --steps 0", "--steps 0 --batch-size 8: expected at least 1"),
        ("lint nowhere.config", "nowhere.config: cannot be read"),
    ],
)
def test_a_mistake_is_one_line(photos, said, tmp_path, arguments, message):
    code, _, err = said(arguments)
    assert code == 2
    assert err.startswith("labs: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "a.config").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "split voc:photos out --fractions 0.5,0.4",
        "split a b --fractions 1",
        "lint a --path there",
        "lint a --device npu",
    ],
)
def test_a_wrong_option_exits_2(photos, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["data", *arguments.split()])
    assert exit_.value.code == 2


def test_every_action_has_help(capsys):
    for action in ("check", "convert", "csv", "labelmap", "split", "tfrecord", "config", "lint"):
        with pytest.raises(SystemExit) as exit_:
            main(["data", action, "--help"])
        assert exit_.value.code == 0
        assert capsys.readouterr().out.count("\n") > 6
