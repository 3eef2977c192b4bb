"""Pictures from a file, a folder, a video or a camera, one at a time. The last two need OpenCV."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

PICTURES = (".jpg", ".jpeg", ".png")


def pictures(source: str) -> Iterator[tuple[str, Image.Image]]:
    """Names and RGB pictures of `source`: a path, or a camera's number. Raises SystemExit for what is none of these."""
    path = Path(source)
    if source.isdigit() and not path.exists():
        yield from _frames(int(source), f"camera {source}")
    elif path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        if not files:
            raise SystemExit(f"{path}: no picture ({', '.join(PICTURES)})")
        yield from ((file.relative_to(path).as_posix(), _opened(file)) for file in files)
    elif path.suffix.lower() in PICTURES and path.is_file():
        yield path.name, _opened(path)
    elif path.is_file():
        yield from _frames(str(path), path.name)
    else:
        raise SystemExit(f"{source}: no such file or folder, nor a camera's number")


def _opened(file: Path) -> Image.Image:
    try:
        with Image.open(file) as picture:
            return picture.convert("RGB")
    except OSError as error:
        raise SystemExit(f"{file}: not a readable picture ({error})") from error


def _frames(source: str | int, name: str) -> Iterator[tuple[str, Image.Image]]:
    try:
        import cv2
    except ImportError as error:
        raise SystemExit(f"{name}: a camera or a video needs OpenCV: pip install opencv-python-headless") from error
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        raise SystemExit(f"{name}: OpenCV cannot open it")
    try:
        number = 0
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield f"{name}#{number}", Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            number += 1
    finally:
        capture.release()
