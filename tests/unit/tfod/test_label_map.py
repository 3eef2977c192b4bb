from pathlib import Path

import pytest

from lab_utils.errors import DataError
from lab_utils.tfod import label_map
from lab_utils.tfod.label_map import Item

SEEDS = """item {
    id: 1
    display_name: "light"
}

item {
\tid: 3
\tname: 'x'
}
"""
REAL = """# made by hand
item{
  name:"/m/01g317"   id:2 , display_name:'person' keypoints { id: 7 label: "nose" }
}
item: < id: 1; name: "o'clock" "!" >
"""


def test_what_is_written_is_read(tmp_path: Path) -> None:
    names = ["signal", 'a "b"', "it's", "back\\slash", "id: 3 }", "Zürich"]
    items = label_map.numbered(names)
    path = label_map.write(tmp_path / "label_map.pbtxt", items)
    assert label_map.read(path) == items
    assert [item.id for item in items] == [1, 2, 3, 4, 5, 6]
    assert path.read_text(encoding="utf-8").startswith(
        'item {\n  id: 1\n  name: "signal"\n  display_name: "signal"\n}\n\nitem {'
    )


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (SEEDS, (Item(1, "light", "light"), Item(3, "x"))),
        (REAL, (Item(1, "o'clock!"), Item(2, "/m/01g317", "person"))),
    ],
)
def test_variants_in_use_are_read(text: str, items: tuple[Item, ...], tmp_path: Path) -> None:
    (tmp_path / "m.pbtxt").write_text(text)
    assert label_map.read(tmp_path / "m.pbtxt") == items


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item { id: 1 name: 'a' }\nitem { id: 1 name: 'b' }", r"m\.pbtxt:2: id 1 again; it is in .*m\.pbtxt:1, too"),
        ("item { id: 1 name: 'a' }\nitem { id: 2 name: 'a' }", r"m\.pbtxt:2: name 'a' again"),
        ("item { id: 0 name: 'a' }", r"m\.pbtxt:1: id 0 of 'a'; ids count from 1, for 0 is the background"),
        ("item { id: -1 name: 'a' }", "id -1 of 'a'"),
        ("item { name: 'a' }", "id is missing; expected an integer from 1"),
        ("item { id: 'x' name: 'a' }", "id is 'x'"),
        ("item { id: 1.5 name: 'a' }", "id is 1.5"),
        ("item { id: 1 name: a }", "name is 'a'; expected a string in quotes"),
        ("item { id: 1 }", "id 1 has no name"),
        ("items { id: 1 }", "'items'; expected item"),
        ("item: 3", "'item'; expected item {"),
        ("item { id: 1", r"m\.pbtxt:1:13: expected a field's name; found the end"),
        ("# nothing", "no items"),
        ("\xff", "expected a field"),
    ],
)
def test_a_bad_map_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.pbtxt").write_text(text)
    with pytest.raises(DataError, match=message):
        label_map.read(tmp_path / "m.pbtxt")


def test_a_bad_map_is_not_written(tmp_path: Path) -> None:
    for names in (["a", "a"], [""]):
        with pytest.raises(DataError, match="item"):
            label_map.write(tmp_path / "m.pbtxt", label_map.numbered(names))
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="cannot be read"):
        label_map.read(tmp_path / "m.pbtxt")
