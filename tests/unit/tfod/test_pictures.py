"""Awkward image files: what goes into a record is what TensorFlow decodes to the pixels that the labs show."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lab_utils import pixels
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import tfrecord
from lab_utils.tfod import pictures

SIZE = (32, 20)
PHOTO = Image.merge("RGB", [Image.linear_gradient("L").rotate(a).resize(SIZE) for a in (0, 90, 180)])


def saved(path, image=PHOTO, kind="JPEG", **options):
    image.save(path, kind, **options)
    return path


def rotated(path, orientation, size=SIZE):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(path, PHOTO.resize(size), exif=exif)


@pytest.mark.parametrize(
    ("name", "image", "kind", "options", "expected"),
    [
        ("a.jpg", PHOTO, "JPEG", {}, "jpeg"),
        ("a.JPEG", PHOTO, "JPEG", {"progressive": True}, "jpeg"),
        ("a.png", PHOTO, "PNG", {}, "png"),
        ("a.png", PHOTO.convert("L"), "PNG", {}, "png"),
        ("a.jpg", PHOTO.convert("L"), "JPEG", {}, "jpeg"),
        ("a.png", PHOTO.convert("P"), "PNG", {}, "png"),
        ("a.png", PHOTO.convert("1"), "PNG", {}, "png"),
        ("a.png", PHOTO.convert("RGBA"), "PNG", {}, "png"),
    ],
)
def test_what_tfod_reads_passes_through(tmp_path, name, image, kind, options, expected):
    path = saved(tmp_path / name, image, kind, **options)
    assert pictures.load(path, SIZE) == pictures.Picture(path.read_bytes(), expected, SIZE)


@pytest.mark.parametrize(
    ("name", "image", "kind"),
    [
        ("a.jpg", PHOTO.convert("CMYK"), "JPEG"),
        ("a.png", Image.fromarray((np.arange(640).reshape(20, 32) * 100).astype(np.uint16)), "PNG"),
        ("a.bmp", PHOTO, "BMP"),
        ("a.webp", PHOTO, "WEBP"),
        ("a.tif", PHOTO, "TIFF"),
        ("a.gif", PHOTO.convert("P"), "GIF"),
    ],
)
def test_what_it_does_not_is_made_png(tmp_path, name, image, kind):
    path = saved(tmp_path / name, image, kind)
    picture = pictures.load(path, SIZE)
    assert (picture.format, picture.remade, picture.misnamed) == ("png", True, False)
    with Image.open(io.BytesIO(picture.content)) as made:
        assert (made.format, made.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(made), np.asarray(pixels.open_rgb(path)))


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path):
    ramp = np.linspace(0, 65535, 640).astype(np.uint16).reshape(20, 32)
    picture = pictures.load(saved(tmp_path / "a.png", Image.fromarray(ramp), "PNG"), SIZE)
    values = np.asarray(Image.open(io.BytesIO(picture.content)))[..., 0]
    assert (values.min(), values.max(), len(np.unique(values))) == (0, 255, 256)


@pytest.mark.parametrize(("name", "kind", "expected"), [("a.jpg", "PNG", "png"), ("a.png", "JPEG", "jpeg")])
def test_the_content_counts_where_the_extension_lies(tmp_path, name, kind, expected):
    picture = pictures.load(saved(tmp_path / name, kind=kind), SIZE)
    assert (picture.format, picture.misnamed, picture.remade) == (expected, True, False)


def test_an_exif_orientation_is_counted_and_not_applied(tmp_path):
    assert not pictures.load(rotated(tmp_path / "a.jpg", 1), SIZE).rotated
    path = rotated(tmp_path / "a.jpg", 6)
    picture = pictures.load(path, SIZE)
    assert (picture.rotated, picture.content) == (True, path.read_bytes())


def test_annotations_of_the_rotated_picture_are_refused(tmp_path):
    path = rotated(tmp_path / "a.jpg", 6)
    message = r"a\.jpg: 32 x 20 pixels are stored, .* for 20 x 32: they are in the frame that EXIF orientation 6 makes"
    with pytest.raises(DataError, match=message):
        pictures.load(path, SIZE[::-1])
    with pytest.raises(DataError, match="put width and height right, and the boxes if the image was resized"):
        pictures.load(rotated(path, 3), SIZE[::-1])


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(DataError, match=r"a\.jpg: not a readable image"):
        pictures.load(tmp_path / "a.jpg", SIZE)
    path = saved(tmp_path / "b.tif", kind="TIFF")
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(DataError, match=r"b\.tif: not a readable image"):
        pictures.load(path, SIZE)
    with pytest.raises(DataError, match=r"c\.jpg: image not found"):
        pictures.load(tmp_path / "c.jpg", SIZE)


def test_the_account_tells_of_them(tmp_path):
    saved(tmp_path / "cmyk.jpg", PHOTO.convert("CMYK"))
    saved(tmp_path / "lie.png")
    rotated(tmp_path / "turned.jpg", 8)
    images = pd.DataFrame({"image_id": [1, 2, 3], "file_name": ["cmyk.jpg", "lie.png", "turned.jpg"]})
    images = images.assign(width=32, height=20)
    boxes = pd.DataFrame(columns=["image_id", "class_id", "xmin", "ymin", "width", "height"])
    account = tfrecord.write(
        DetectionDataset.from_frames(images, boxes, ["signal"], root=tmp_path), tmp_path / "out" / "a.tfrecord"
    )
    assert str(account) == (
        "3 images with 0 boxes in 1 files; 3 images without boxes kept as negatives; "
        "1 images made PNG, for TFOD cannot read them as they are; "
        "1 files are not what their name says; their content counts; "
        "1 images have an EXIF orientation, which is not applied"
    )
