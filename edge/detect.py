"""Detect objects in pictures, a video or a camera's frames, and print one line of JSON a frame.

python detect.py frames/            python detect.py clip.mp4 --draw out/            python detect.py 0 --show
"""

import argparse
import json
import sys
import time
from collections import deque
from pathlib import Path

from detector import Detector, Found, class_names
from PIL import Image, ImageDraw
from sources import pictures

HERE = Path(__file__).parent


def main() -> int:
    arguments = _arguments()
    detector, names = Detector(arguments.model, arguments.threads), class_names(arguments.labels)
    seconds: deque[float] = deque(maxlen=30)
    try:
        for name, picture in pictures(arguments.source):
            start = time.perf_counter()
            found = detector.detect(picture, arguments.score)
            seconds.append(time.perf_counter() - start)
            fps = len(seconds) / sum(seconds)
            print(json.dumps(_row(name, found, names, seconds[-1])), flush=True)
            print(f"\r{fps:6.1f} FPS", end="", file=sys.stderr)
            if arguments.draw or arguments.show:
                drawn = _drawn(picture, found, names, fps)
                if not _shown(arguments, name, drawn):
                    break
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    print(file=sys.stderr)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="picture, folder of pictures, video, or a camera's number")
    parser.add_argument("--model", type=_file, default=HERE / "model.tflite")
    parser.add_argument("--labels", type=_file, default=HERE / "labels.json")
    parser.add_argument("--threads", type=int, choices=range(1, 17), default=2, metavar="N")
    parser.add_argument("--score", type=float, default=0.4, help="least score that counts (0.4)")
    parser.add_argument("--draw", type=Path, metavar="FOLDER", help="write pictures with boxes and FPS")
    parser.add_argument("--show", action="store_true", help="show them in a window; q ends (needs opencv-python)")
    return parser.parse_args()


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text}: no such file; copy_model.py puts a model beside this program")
    return path


def _row(name: str, found: Found, names: list[str], seconds: float) -> dict[str, object]:
    return {
        "frame": name,
        "boxes": found.boxes.round(1).tolist(),
        "scores": found.scores.round(4).tolist(),
        "classes": [names[number] for number in found.class_ids],
        "ms": round(seconds * 1000, 2),
    }


def _drawn(picture: Image.Image, found: Found, names: list[str], fps: float) -> Image.Image:
    draw = ImageDraw.Draw(picture)
    for box, score, number in zip(found.boxes.tolist(), found.scores, found.class_ids, strict=True):
        draw.rectangle(box, outline=(255, 214, 0), width=2)
        draw.text((box[0], max(0, box[1] - 12)), f"{names[number]} {score:.2f}", fill=(255, 214, 0))
    draw.text((4, 4), f"{fps:.1f} FPS", fill=(255, 255, 255))
    return picture


def _shown(arguments: argparse.Namespace, name: str, picture: Image.Image) -> bool:
    """Write and show a picture; returns whether to go on."""
    if arguments.draw:
        arguments.draw.mkdir(parents=True, exist_ok=True)
        flat = name.replace("/", "-").replace("#", "-")
        picture.save(arguments.draw / f"{flat}.jpg")
    if not arguments.show:
        return True
    import cv2
    import numpy as np

    cv2.imshow("detect", cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR))
    return cv2.waitKey(1) != ord("q")


if __name__ == "__main__":
    sys.exit(main())
