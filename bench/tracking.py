"""Lab 03's tracker: how well and how fast it follows, what a detector adds, and memory over a long video.

Needs what Lab 03 leaves in the local workspace: a trained tracker and a detector (`labs run 03`).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

import lab_utils
from bench.table import Row, seconds
from lab_utils import paths
from lab_utils.errors import ConfigError
from lab_utils.session import LabSession
from lab_utils.synthetic import generate_clips
from lab_utils.tracking import Clip, Video, VideoWriter, ope, recovery, rendered, track, write_video
from lab_utils.tracking.detection import by_endpoint
from lab_utils.tracking.draw import draw_observation
from lab_utils.tracking.fusion import FusionTracker
from lab_utils.tracking.opencv import CorrelationTracker
from lab_utils.tracking.siamrpn import SiamRPN
from lab_utils.tracking.thresholds import Thresholds
from lab_utils.tracking.tracker import Observation, Tracker
from lab_utils.tracking.video import Image

CLIPS, FRAMES, SEED = 20, 90, 1000
LONG = 10_000  # frames


def run() -> list[Row]:
    lab = lab_utils.connect("local")
    siamrpn = SiamRPN(rendered.fetch_model(lab, _trained(lab)))
    root = paths.home() / "data" / "bench-clips"
    hard, steady = (
        generate_clips(root / name, clips=CLIPS, frames=FRAMES, seed=SEED, hard=name == "hard")
        for name in ("hard", "steady")
    )
    trackers: dict[str, Tracker] = {"SiamRPN": siamrpn, "CSRT": CorrelationTracker("CSRT")}
    trackers["KCF"] = CorrelationTracker("KCF")
    return [
        *_accuracy("steady", ope.evaluate(steady, trackers)),
        *_accuracy("hard", ope.evaluate(hard, trackers)),
        *_recovery(lab, hard, siamrpn),
        *_speed(trackers),
        Row("rendering clips 480x300, one process", [_rendered() for _ in range(3)], "/s"),
        Row("memory gained from frame 1,000 to 10,000", [_growth(CorrelationTracker("KCF"))], "MB", "<= 5 MB"),
    ]


def _accuracy(kind: str, evaluation: ope.Evaluation) -> Iterator[Row]:
    by_tracker = evaluation.per_clip().groupby("tracker", sort=False)
    for name, table in by_tracker:
        goal = ">= 0.70 mean" if (kind, name) == ("steady", "SiamRPN") else ""
        yield Row(f"{name}, {kind} clips, IoU, mean {table['IoU'].mean():.3f}", table["IoU"].tolist(), "", goal)
        goal = {"SiamRPN": "> CSRT's, KCF's", "fusion": "> SiamRPN's"}.get(str(name), "")
        yield Row(f"{name}, {kind} clips, AUC, mean {table['AUC'].mean():.3f}", table["AUC"].tolist(), "", goal)


def _recovery(lab: LabSession, clips: list[Clip], siamrpn: SiamRPN) -> Iterator[Row]:
    detector = lab_utils.latest_training(lab, "detectron2", rendered.upload_stills(lab, profile="laptop", seed=0))
    if detector is None:
        raise ConfigError("no detector here: labs run 03")
    with lab_utils.deploy(
        lab, lab_utils.build_image(lab, "detectron2"), detector.model_data, name="tracking"
    ) as endpoint:
        fusion = FusionTracker(siamrpn, by_endpoint(endpoint), Thresholds(siamrpn.lost, siamrpn.found))
        evaluation = ope.evaluate(clips, {"fusion": fusion})
    yield from _accuracy("hard", evaluation)
    runs = evaluation.runs["fusion"]
    returns = [frames for each in runs for frames in recovery.recoveries(each)]
    share = 100 * float(np.mean(np.array(returns) <= recovery.WITHIN))
    yield Row(f"recovered within 15 frames, of {len(returns)} returns", [share], "%", ">= 90 %")


def _speed(trackers: dict[str, Tracker]) -> Iterator[Row]:
    sample = Clip(paths.project() / "sample_media" / "approach.mp4")
    for name, tracker in trackers.items():
        goal = ">= 25 frames/s" if name == "SiamRPN" else ""
        yield Row(f"{name}, 1280x720", [ope.run(sample, tracker).fps for _ in range(3)], "/s", goal)


def _rendered() -> float:
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as folder:
        return FRAMES / seconds(lambda: generate_clips(folder, clips=1, frames=FRAMES, seed=SEED, progress=False))


def _growth(tracker: Tracker) -> float:
    """Megabytes that tracking, drawing and writing a long video takes more at its end than near its start."""
    process, used = psutil.Process(), []
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as folder:
        source = Path(folder, "long.mp4")
        write_video(source, _noise())
        with VideoWriter(Path(folder, "out.mp4")) as writer:
            for step in track(Video.open(source), (100, 80, 40, 40), tracker):
                writer.write(draw_observation(step.rgb, Observation(step.observation.box, 1.0)), step.seconds)
                if step.frame in (LONG // 10, LONG - 1):
                    used.append(process.memory_info().rss)
    return (used[1] - used[0]) / 1e6


def _noise() -> Iterator[Image]:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    return (np.roll(picture, (i // 7 % 20, i // 5 % 30), axis=(0, 1)) for i in range(LONG))


def _trained(lab: LabSession) -> str:
    """The newest tracker's `model.tar.gz`."""
    client = lab.client("sagemaker")
    jobs = client.list_training_jobs(
        NameContains=lab.named("tracking"), StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending"
    )["TrainingJobSummaries"]
    if not jobs:
        raise ConfigError("no tracker here: labs run 03")
    job = client.describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])
    return job["ModelArtifacts"]["S3ModelArtifacts"]
