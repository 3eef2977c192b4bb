"""Encoded pictures: every kind that a request may hold, and what is refused."""

import io
from pathlib import Path

import numpy as np
import pytest
from detection import decoding
from PIL import Image
from sagemaker_contract import UserError


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_rgb_keeps_its_pixels_and_order() -> None:
    picture = decoding.decode(encoded(Image.new("RGB", (3, 2), (255, 10, 0))))
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("RGB", (3, 2), (255, 10, 0))


def test_jpeg_and_a_path_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(Image.new("RGB", (8, 8), (200, 100, 50)), "JPEG", quality=95))
    np.testing.assert_allclose(decoding.decode(path).getpixel((4, 4)), (200, 100, 50), atol=4)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("L", (2, 2), 77), (77, 77, 77)),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 255)), (10, 20, 30)),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 0)), (0, 0, 0)),
        (Image.new("LA", (2, 2), (90, 255)), (90, 90, 90)),
        (Image.new("RGB", (2, 2), (9, 8, 7)).quantize(4), (9, 8, 7)),
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
        (Image.fromarray(np.full((2, 2), 0x8040, np.uint16)), (128, 128, 128)),
    ],
)
def test_every_mode_becomes_8_bit_rgb(picture: Image.Image, expected: tuple[int, int, int]) -> None:
    assert decoding.decode(encoded(picture)).getpixel((1, 1)) == expected


def test_a_transparent_palette_entry_becomes_black() -> None:
    picture = Image.new("P", (2, 2), 0)
    picture.putpalette([255, 0, 0])
    assert decoding.decode(encoded(picture, transparency=0)).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("data", [b"garbage", b"", b"\x89PNG\r\n\x1a\n", encoded(Image.new("RGB", (4, 4)), "GIF")])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^not a (JPEG or PNG|readable) picture"):
        decoding.decode(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    with pytest.raises(UserError, match="not a readable picture"):
        decoding.decode(encoded(noise, kind)[:2000])


def test_a_decompression_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 99)
    with pytest.raises(UserError, match="10x10 pixels, at most 99"):
        decoding.decode(encoded(Image.new("RGB", (10, 10))))


def test_pillows_own_bomb_check_is_a_refusal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(UserError, match="not a readable picture"):
        decoding.decode(encoded(Image.new("RGB", (10, 10))))
