import numpy as np
import pytest
from PIL import Image

from lab_utils.errors import DataError
from lab_utils.pixels import exif_orientation, open_rgb

RED_GREEN = np.array([[[204, 0, 0], [0, 102, 0]]], dtype=np.uint8)  # both are in the web palette


def saved(image, path, **options):
    image.save(path, **options)
    return open_rgb(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_survive_any_mode(tmp_path, mode):
    image = Image.fromarray(RED_GREEN).convert(mode)
    np.testing.assert_array_equal(np.asarray(saved(image, tmp_path / "a.png")), RED_GREEN)


def test_a_palette_with_transparency(tmp_path):
    image = Image.fromarray(RED_GREEN).convert("P")
    opened = saved(image, tmp_path / "a.png", transparency=bytes([0, 255]))
    assert opened.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(opened), RED_GREEN)


def test_greyscale_becomes_three_equal_channels(tmp_path):
    opened = saved(Image.fromarray(RED_GREEN[..., 0]), tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(opened), [[[204] * 3, [0] * 3]])


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    samples = np.array([[0, 257 * 100, 65535]], dtype=np.uint16)
    opened = saved(Image.fromarray(samples), tmp_path / "a.png")
    assert np.asarray(opened)[0, :, 0].tolist() == [0, 100, 255]


def test_an_exif_orientation_is_seen_but_does_not_move_the_pixels(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    assert saved(Image.new("RGB", (6, 4)), path, exif=exif).size == (6, 4)
    with Image.open(path) as image:
        assert exif_orientation(image) == 6


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.png: image not found"):
        open_rgb(tmp_path / "none.png")


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_truncated_file_is_named(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DataError, match=f"{name}: not a readable image"):
        open_rgb(path)


def test_a_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("not an image")
    with pytest.raises(DataError, match=r"a\.jpg: not a readable image"):
        open_rgb(path)
