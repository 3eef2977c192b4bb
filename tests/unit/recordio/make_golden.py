"""Makes the golden files with MXNet's own writers; run by a Python that has mxnet==1.9.1 and Pillow.

    PYTHON make_golden.py FOLDER

FOLDER gets `images/`, `boxes.json` (COCO), what im2rec makes of them (`plain` and `extended`), and `framing.rec`, whose
records hold the magic number at every kind of place.
"""

import json
import subprocess
import sys
from pathlib import Path

import mxnet
from mxnet import recordio
from payloads import PAYLOADS
from PIL import Image

PICTURES = {
    "day/a.png": ("RGB", 64, 48),
    "day/b.jpg": ("RGB", 50, 34),
    "c.jpg": ("L", 31, 17),
    "none.png": ("RGB", 8, 9),
}
BOXES = [  # image, category, x, y, width, height
    (1, 3, 0, 0, 64, 48),
    (1, 1, 1.25, 2.5, 10.1, 20.3),
    (2, 7, 11, 7, 3, 17),
    (3, 1, 0.1, 0.2, 30.7, 16.6),
    (3, 1, 5, 5, 5, 5),
]


def main(folder: Path) -> None:
    write_data(folder)
    for name, extended in (("plain", False), ("extended", True)):
        write_list(folder, folder / f"{name}.lst", extended)
        im2rec(folder / f"{name}.lst", folder / "images")
    writer = recordio.MXRecordIO(str(folder / "framing.rec"), "w")
    for payload in PAYLOADS:
        writer.write(payload)
    writer.close()


def im2rec(listed: Path, root: Path) -> None:
    """NAME.rec and NAME.idx of NAME.lst by MXNet's own tool."""
    program = Path(mxnet.__file__).parent / "tools" / "im2rec.py"
    argv = [sys.executable, program, listed.with_suffix(""), root, "--pass-through", "--pack-label"]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write_data(folder: Path) -> None:
    images = []
    for id_, (name, (mode, width, height)) in enumerate(PICTURES.items(), start=1):
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize((width, height)).convert(mode).save(path)
        images.append({"id": id_, "file_name": name, "width": width, "height": height})
    boxes = [
        {"id": i, "image_id": image, "category_id": category, "bbox": box, "iscrowd": 0}
        for i, (image, category, *box) in enumerate(BOXES, start=1)
    ]
    classes = [{"id": id_, "name": f"class {i}"} for i, id_ in enumerate((1, 3, 7))]
    content = {"images": images, "annotations": boxes, "categories": classes}
    (folder / "boxes.json").write_text(json.dumps(content, indent=1) + "\n")


def write_list(folder: Path, path: Path, extended: bool) -> None:
    """The list as its documentation tells it, from the COCO file."""
    content = json.loads((folder / "boxes.json").read_text())
    class_of = {category["id"]: i for i, category in enumerate(content["categories"])}
    lines = []
    for row, image in enumerate(content["images"]):
        width, height = image["width"], image["height"]
        label = [4, 5, width, height] if extended else [2, 5]
        of_image = [a for a in content["annotations"] if a["image_id"] == image["id"]]
        for a in of_image:
            x, y, w, h = a["bbox"]
            label += [class_of[a["category_id"]], x / width, y / height, (x + w) / width, (y + h) / height]
        label += [] if of_image else [-1] * 5
        lines.append("\t".join(map(str, [row, *label, image["file_name"]])) + "\n")
    path.write_text("".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
