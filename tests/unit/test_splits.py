import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lab_utils import splits
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError

NAMES = ["training", "validation", "test"]


def made_up(groups, classes=3, frames=4, seed=0, per_group=1, negatives=0):
    """Groups of `frames` images, each group showing `per_group` classes; rare ones are rare."""
    rng = np.random.default_rng(seed)
    images, boxes = [], []
    for group in range(groups):
        shown = [] if group < negatives else (group + np.arange(per_group)) % classes
        for frame in range(int(rng.integers(1, frames + 1))):
            images.append((len(images), f"g{group:03}/{frame}.png", 640, 400, f"g{group:03}"))
            boxes += [(len(images) - 1, c, 5, 5, 20, 20) for c in shown]
    return DetectionDataset.from_frames(
        pd.DataFrame(images, columns=["image_id", "file_name", "width", "height", "group"]),
        pd.DataFrame(boxes, columns=["image_id", "class_id", "xmin", "ymin", "width", "height"]),
        [f"c{i}" for i in range(classes)],
    )


def files(parts):
    return {name: set(part.images["file_name"]) for name, part in parts.items()}


@pytest.mark.parametrize("seed", range(5))
def test_every_image_is_in_one_split_and_no_group_is_cut(seed):
    data = made_up(60, seed=seed, negatives=10)
    parts = splits.split(data, seed=seed)
    assert sorted(pd.concat([part.images["image_id"] for part in parts.values()])) == list(range(len(data)))
    groups = [set(part.images["group"]) for part in parts.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 60


@pytest.mark.parametrize("seed", range(5))
def test_shares_hold_for_all_images_and_each_class(seed):
    data = made_up(200, classes=4, seed=seed, negatives=40)
    for name, part in splits.split(data, seed=seed).items():
        assert len(part) / len(data) == pytest.approx(splits.FRACTIONS[name], abs=0.02)
        np.testing.assert_allclose(part.class_counts() / data.class_counts(), splits.FRACTIONS[name], atol=0.04)
        assert len(set(part.images["image_id"]) - set(part.boxes["image_id"])) > 0  # negatives, too


def test_the_order_of_rows_plays_no_part():
    data = made_up(40, per_group=2)
    shuffled = DetectionDataset.from_frames(
        data.images.sample(frac=1, random_state=1), data.boxes.sample(frac=1, random_state=2), data.classes
    )
    assert files(splits.split(shuffled)) == files(splits.split(data))
    assert files(splits.split(data, seed=1)) != files(splits.split(data))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("groups", [9, 11, 15])
def test_a_class_with_three_groups_is_in_all_three_splits(groups, seed):
    for part in splits.split(made_up(groups, frames=6, seed=seed), seed=seed).values():
        assert part.class_counts().min() > 0


@pytest.mark.parametrize("seed", range(20))
def test_groups_of_several_classes_cover_too(seed):
    for part in splits.split(made_up(14, classes=7, per_group=2, seed=seed), seed=seed).values():
        assert part.class_counts().min() > 0


def test_without_strata_the_shares_still_hold():
    data = made_up(200)
    parts = splits.split(data, {"a": 0.5, "b": 0.5}, stratify=False)
    assert len(parts["a"]) / len(data) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fractions": {"a": 0.5, "b": 0.4}}, "sum to 1"),
        ({"fractions": {"a": 1.5, "b": -0.5}}, "positive"),
        ({"by": "track"}, "by='track': no such column"),
        ({"fractions": dict.fromkeys("abcde", 0.2)}, "split '.' is empty: 4 groups for 5 splits"),
    ],
)
def test_impossible_splits_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        splits.split(made_up(4), **arguments)


def test_official_split():
    data = made_up(3)
    assert splits.official(data) is None
    named = data.images["group"].map({"g000": "training", "g001": "test", "g002": ""})
    partly = DetectionDataset.from_frames(data.images.assign(split=named), data.boxes, data.classes)
    with pytest.warns(UserWarning, match="images are in no official split"):
        parts = splits.official(partly)
    assert {name: set(part.images["group"]) for name, part in parts.items()} == {"training": {"g000"}, "test": {"g001"}}


def scene(seed, size=(96, 64)):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (6, 9, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)


def pair(tmp_path, left, right):
    parts = {}
    for name, pictures in (("training", left), ("test", right)):
        rows = []
        for i, (file, picture, options) in enumerate(pictures):
            (tmp_path / name).mkdir(exist_ok=True)
            picture.save(tmp_path / name / file, **options)
            rows.append((i, f"{name}/{file}", *picture.size))
        images = pd.DataFrame(rows, columns=["image_id", "file_name", "width", "height"])
        boxes = made_up(0).boxes
        parts[name] = DetectionDataset.from_frames(images, boxes, ["a"], root=tmp_path)
    return parts


def test_audit_finds_copies_and_near_copies_and_nothing_else(tmp_path):
    left = [(f"{i}.png", scene(i), {}) for i in range(20)]
    right = [(f"{i}.png", scene(i), {}) for i in range(30, 50)]
    assert splits.audit_leakage(pair(tmp_path, left, right), progress=False).empty
    right += [
        ("same.png", scene(3), {}),
        ("jpeg.jpg", scene(4), {"quality": 80}),
        ("big.png", scene(5, (192, 128)), {}),
    ]
    found = splits.audit_leakage(pair(tmp_path, left, right), progress=False)
    assert set(zip(found["kind"], found["file_a"], found["file_b"], strict=True)) == {
        ("identical", "training/3.png", "test/same.png"),
        ("near-duplicate", "training/4.png", "test/jpeg.jpg"),
        ("near-duplicate", "training/5.png", "test/big.png"),
    }


def test_audit_finds_a_group_that_was_cut():
    data = made_up(1)
    parts = {"training": data.subset([0]), "test": data.subset([1, 2])} if len(data) > 2 else {"a": data, "b": data}
    found = splits.audit_leakage(parts, pixels=False)
    assert found[["kind", "file_a"]].to_numpy().tolist() == [["group", "g000"]]


def test_audit_names_an_image_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="image not found"):
        splits.audit_leakage({"a": made_up(1), "b": made_up(2)}, progress=False)
