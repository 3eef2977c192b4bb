"""One tracking job: a video and a first box to boxes, scores and an annotated video, frame by frame."""

import argparse
import csv
import json
import time
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import mxnet as mx
import numpy as np
from detection.files import write_json
from detection.report import peak_rss_mb
from detection.weights import unpack
from gluoncv.model_zoo.siamrpn.siam_net import SiamRPN
from sagemaker_contract import StopRequest, UserError
from ssd import checkpoints
from ssd.training import contexts

from . import clips, networks, video
from .evaluation import tracker
from .names import BODY, CONFIG, PARAMS, Settings

COLUMNS = ("frame", "seconds", "xmin", "ymin", "width", "height", "score")
FOLLOWED, LOST = (0, 255, 255), (0, 0, 255)  # colours of a box, BGR


def load(folder: Path, context: mx.Context) -> tuple[SiamRPN, Settings, dict[str, float]]:
    """Network, settings and score thresholds of a training job's model, packed or unpacked. Raises UserError."""
    path = unpack(folder, CONFIG)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = Settings(**{field.name: content[field.name] for field in fields(Settings)})
        network = networks.build(settings, content["width"], content["hidden"], 1, settings.instance, context)
        scores = {name: float(content["scores"][name]) for name in ("lost", "found")}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a tracker's ({type(error).__name__}: {error})") from error
    networks.initialize(network, settings, settings.instance, context, seed=0)
    checkpoints.load_weights(network, path.with_name(PARAMS), BODY)
    network.backbone.hybridize(static_alloc=True)
    network.rpn_head.hybridize(static_alloc=True)
    return network, settings, scores


def run(arguments: argparse.Namespace, stop: StopRequest) -> None:
    """Track as the arguments say. What was written until a stop stays and is playable; the summary says that it is not
    all. Raises UserError."""
    started = time.perf_counter()
    path, context = find_video(arguments.video), contexts(arguments.device, 1)[0]
    first, box = (0, arguments.box) if arguments.box else clips.first_box(path)
    network, settings, scores = load(arguments.model, context)
    running, report = tracker(network, settings), None
    arguments.output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for number, seconds, picture in video.frames(path, lambda number: number >= first):
            if report is None:
                running.init(picture, checked(box, picture), context)
                report = stack.enter_context(Report(arguments.output, picture, scores["lost"]))
                report.add(number, seconds, picture, box, 1.0)
            else:
                answer = running.track(picture, context)
                report.add(number, seconds, picture, answer["bbox"], float(answer["best_score"]))
            if stop:
                break
    if report is None:
        raise UserError(f"{path}: no frame {first}, with which the track starts")
    told = {"video": path.name, "first_frame": first, "first_box": list(box), "scores": scores, "complete": not stop}
    _conclude(arguments.output, told, report.frames, time.perf_counter() - started)


def _conclude(folder: Path, told: dict[str, Any], frames: int, seconds: float) -> None:
    cost = {"seconds": round(seconds, 1), "frames_per_second": round(frames / seconds, 1)}
    write_json(folder / "track.json", {**told, "frames": frames, **cost, "peak_rss_mb": peak_rss_mb()})
    ending = "" if told["complete"] else ", stopped before its end"
    print(f"{frames} frames of {told['video']} in {seconds:.1f} s{ending}", flush=True)


class Report:
    """`track.csv` and `track.mp4` in a folder, both written as the frames come."""

    def __init__(self, folder: Path, picture: np.ndarray, lost: float) -> None:
        self.frames, self._lost = 0, lost
        self._table = (folder / "track.csv").open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._table)
        self._rows.writerow(COLUMNS)
        self._video = video.Writer(folder / "track.mp4", picture.shape[1::-1])

    def __enter__(self) -> "Report":
        return self

    def __exit__(self, *error: Any) -> None:
        self._table.close()
        self._video.close()

    def add(self, number: int, seconds: float, picture: np.ndarray, box: Any, score: float) -> None:
        """One frame's row, and the frame with the box and score drawn on it."""
        self._rows.writerow([number, f"{seconds:.4f}", *(f"{value:.2f}" for value in box), f"{score:.4f}"])
        self._table.flush()
        self._video.write(drawn(picture, box, score, FOLLOWED if score >= self._lost else LOST), seconds)
        self.frames += 1


def drawn(picture: np.ndarray, box: Any, score: float, colour: tuple[int, int, int]) -> np.ndarray:
    """The frame with a box (left, top, width, height) and its score."""
    left, top, width, height = (round(float(value)) for value in box)
    thick = max(1, round(picture.shape[0] / 360))
    cv2.rectangle(picture, (left, top), (left + width, top + height), colour, thick)
    where = (left, top - 2 * thick if top > 20 * thick else top + height + 12 * thick)
    cv2.putText(picture, f"{score:.2f}", where, cv2.FONT_HERSHEY_SIMPLEX, thick / 3, colour, thick)
    return picture


def find_video(path: Path) -> Path:
    """The file, or the only video of a folder. Raises UserError."""
    if path.is_file():
        return path
    found = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in (".mp4", ".avi", ".mov", ".mkv")]
    if len(found) != 1:
        raise UserError(f"{path}: expected one video, found {', '.join(file.name for file in found) or 'none'}")
    return found[0]


def checked(box: Any, picture: np.ndarray) -> list[float]:
    """The box. Raises UserError when it has no area in the picture."""
    left, top, width, height = box
    shown = min(left + width, picture.shape[1]) - max(left, 0), min(top + height, picture.shape[0]) - max(top, 0)
    if min(*shown, width, height) < 1:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise UserError(f"box {left:g},{top:g},{width:g},{height:g}: expected an area inside the video's {size} pixels")
    return list(box)
