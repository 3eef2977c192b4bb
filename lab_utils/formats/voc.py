"""Pascal VOC: one XML file an image.

Layout: `Annotations/*.xml`, `JPEGImages/*`, `ImageSets/Main/{train,val,test}.txt`; or, as labelImg leaves them, XML
files beside their images. Elements are found by name, in any order.

Corners are taken as written and width = xmax - xmin: labelImg and most tools of today write edges counted from 0.
VOC's own files count pixels from 1 with both corners inside the box; `one_based` shifts their top left corner.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd

from lab_utils import atomic
from lab_utils.dataset import BOX_COLUMNS, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import boxes_by_image, class_ids, copy_image, number, records

_LISTS = {"train": "training", "val": "validation", "test": "test"}
_SUFFIXES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")


def read(root: str | Path, *, classes: Iterable[str] | None = None, one_based: bool = False) -> DetectionDataset:
    """Read a folder of VOC annotations.

    Args:
        root: folder with `Annotations`, or with the XML files themselves.
        classes: class names in `class_id` order; None: those that occur, sorted.
        one_based: corners are VOC's own pixel numbers, counted from 1.

    Returns:
        The data set; `root` is the folder of the images, `split` comes from `ImageSets/Main`.

    Raises:
        DataError: a file is malformed, lacks an element, or names a class that is not in `classes`.
    """
    root = Path(root)
    annotations, pictures = _folder(root, "Annotations"), _folder(root, "JPEGImages")
    files = sorted(annotations.rglob("*.xml"))
    if not files:
        raise DataError(f"{annotations}: no annotations; expected *.xml files")
    images, boxes = [], []
    for image_id, file in enumerate(files, start=1):
        tree = _parse(file)
        below = file.relative_to(annotations).with_suffix("")
        images.append({"image_id": image_id, **_image(tree, file, below, pictures)})
        images[-1]["source"] = file.relative_to(root).as_posix()
        boxes += [{"image_id": image_id, **box} for box in _objects(tree, file, one_based)]
    ids, names = class_ids(
        [box.pop("name") for box in boxes],
        None if classes is None else list(classes),
        [f"{files[box['image_id'] - 1]}, object {box['source_row']}" for box in boxes],
    )
    box_frame = pd.DataFrame(boxes, columns=None if boxes else list(BOX_COLUMNS)).assign(class_id=ids)
    image_frame = pd.DataFrame(images)
    image_frame["split"] = _splits(root, [_stem(annotations, file) for file in files])
    return DetectionDataset.from_frames(image_frame, box_frame, names, root=pictures, name=root.resolve().name)


def write(dataset: DetectionDataset, root: str | Path, *, images: bool = True) -> Path:
    """Write the data set in VOC's layout; returns `root`.

    An image's group and a box's crowd flag, for which VOC has no place, go to elements `group` and `crowd`, which
    other readers pass over.

    Args:
        images: copy the image files too; those already there are kept.
    """
    root = Path(root)
    boxes_of = boxes_by_image(dataset)
    for image in records(dataset.images):
        file = root / "Annotations" / PurePosixPath(image["file_name"]).with_suffix(".xml")
        tree = _to_xml(image, boxes_of[image["image_id"]], dataset.classes)
        ET.indent(tree)
        atomic.write_text(file, ET.tostring(tree, encoding="unicode") + "\n")
        if images:
            copy_image(dataset.root / image["file_name"], root / "JPEGImages" / image["file_name"])
    for name, split in _LISTS.items():
        members = dataset.images.loc[dataset.images["split"] == split, "file_name"]
        if len(members):
            lines = [f"{PurePosixPath(file).with_suffix('')}\n" for file in members]
            atomic.write_text(root / "ImageSets" / "Main" / f"{name}.txt", "".join(lines))
    return root


def _folder(root: Path, name: str) -> Path:
    return root / name if (root / name).is_dir() else root


def _stem(annotations: Path, file: Path) -> str:
    return file.relative_to(annotations).with_suffix("").as_posix()


def _parse(file: Path) -> ET.Element:
    try:
        return ET.parse(file).getroot()
    except ET.ParseError as error:
        raise DataError(f"{file}:{error.position[0]}: not XML: {error}") from None


def _image(tree: ET.Element, file: Path, below: Path, pictures: Path) -> dict[str, Any]:
    if tree.find("size") is None:
        raise DataError(f"{file}: no element 'size'; expected <size> with <width> and <height> in pixels")
    written = PureWindowsPath(tree.findtext("filename") or below.name).name  # also takes POSIX paths apart
    return {
        "file_name": _file_name(pictures, below, written),
        "width": int(_number(tree, "size/width", str(file))),
        "height": int(_number(tree, "size/height", str(file))),
        "group": tree.findtext("group") or "",
    }


def _file_name(pictures: Path, below: Path, written: str) -> str:
    """The file that is there: what `filename` says or, for the many files where that is stale, the XML's name."""
    name = below.parent / written
    candidates = [name, *(below.with_name(below.name + suffix) for suffix in _SUFFIXES)]
    return next((c for c in candidates if (pictures / c).is_file()), name).as_posix()


def _objects(tree: ET.Element, file: Path, one_based: bool) -> Iterator[dict[str, Any]]:
    for row, element in enumerate(tree.findall("object"), start=1):
        where = f"{file}, object {row}"
        xmin, ymin, xmax, ymax = (
            _number(element, f"bndbox/{side}", where) for side in ("xmin", "ymin", "xmax", "ymax")
        )
        yield {
            "name": _text(element, "name", where),
            "xmin": xmin - one_based,
            "ymin": ymin - one_based,
            "width": xmax - xmin + one_based,
            "height": ymax - ymin + one_based,
            "difficult": element.findtext("difficult", "0").strip() == "1",
            "crowd": element.findtext("crowd", "0").strip() == "1",
            "source_row": row,
        }


def _text(element: ET.Element, path: str, where: str) -> str:
    text = (element.findtext(path) or "").strip()
    if not text:
        raise DataError(f"{where}: no element {path!r}, or an empty one")
    return text


def _number(element: ET.Element, path: str, where: str) -> float:
    text = _text(element, path, where)
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{where}: element {path!r} is {text!r}; expected a number of pixels") from None


def _splits(root: Path, stems: list[str]) -> list[str]:
    split_of = dict.fromkeys(stems, "")
    for name, split in _LISTS.items():
        file = root / "ImageSets" / "Main" / f"{name}.txt"
        for number_, line in enumerate(file.read_text().splitlines() if file.is_file() else [], start=1):
            if line.strip() and line.split()[0] not in split_of:
                raise DataError(f"{file}:{number_}: no annotation for {line.split()[0]!r} in {root}")
            if line.strip():
                split_of[line.split()[0]] = split
    return [split_of[stem] for stem in stems]


def _to_xml(image: dict[str, Any], boxes: list[dict[str, Any]], classes: tuple[str, ...]) -> ET.Element:
    tree = ET.Element("annotation")
    path = PurePosixPath(image["file_name"])
    _add(tree, folder=path.parent.name or "JPEGImages", filename=path.name)
    _add(ET.SubElement(tree, "size"), width=image["width"], height=image["height"], depth=3)
    if image["group"] != image["file_name"]:
        _add(tree, group=image["group"])
    for box in boxes:
        element = ET.SubElement(tree, "object")
        _add(element, name=classes[box["class_id"]], difficult=int(box["difficult"]))
        if box["crowd"]:
            _add(element, crowd=1)
        corners = {"xmin": box["xmin"], "ymin": box["ymin"]}
        corners |= {"xmax": box["xmin"] + box["width"], "ymax": box["ymin"] + box["height"]}
        _add(ET.SubElement(element, "bndbox"), **{side: number(value) for side, value in corners.items()})
    return tree


def _add(parent: ET.Element, **children: object) -> None:
    for name, value in children.items():
        ET.SubElement(parent, name).text = str(value)
