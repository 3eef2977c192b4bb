"""SiamRPN: trained from scratch on rendered clips by the GluonCV image's program, then judged on clips it never saw.

It learns from the clips of Lab 03's laptop profile.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from bench.table import Row, seconds
from lab_utils.synthetic.clips import generate_clips
from lab_utils.tracking import rendered
from lab_utils.tracking.ope import evaluate
from lab_utils.tracking.opencv import CorrelationTracker
from lab_utils.tracking.siamrpn import SiamRPN
from lab_utils.tracking.tracker import Tracker
from local_sagemaker import images

CONTAINERS = Path(__file__).resolve().parents[1] / "containers"
SEEDS = (0, 1)
CLIPS, JUDGED_SEED = 16, 1002  # of each kind that it is judged on
HD, FRAMES = (1280, 720), 100


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as folder:
        root = Path(folder)
        for split in ("training", "validation"):  # the lab's own
            (root / split).symlink_to(rendered.clip_set(split, profile="laptop")[0].path.parent)
        clips = {
            kind: generate_clips(root / kind, clips=CLIPS, seed=JUDGED_SEED, hard=kind == "hard")
            for kind in ("steady", "hard")
        }
        jobs = [_train(root, seed) for seed in SEEDS]
        trackers: dict[str, Tracker] = {f"SiamRPN {seed}": SiamRPN(job / "model") for seed, job in enumerate(jobs)}
        trackers |= {kind: CorrelationTracker(kind) for kind in ("KCF", "CSRT")}
        tables = {kind: evaluate(found, trackers).table() for kind, found in clips.items()}
        costs = [json.loads((job / "model/training_summary.json").read_text())["outcome"] for job in jobs]
        rates = [_rate(jobs[0] / "model") for _ in SEEDS]
    return [
        *(row for kind, table in tables.items() for row in _accuracy(kind, table)),
        Row("SiamRPN, training", [cost["seconds"] for cost in costs], "s", "<= 240 s"),
        Row("SiamRPN, peak memory of training", [cost["peak_rss_mb"] / 1024 for cost in costs], "GB"),
        Row("SiamRPN, tracker alone at 1280x720", rates, "/s", ">= 25 frames/s"),
    ]


def _accuracy(kind: str, table: pd.DataFrame) -> Iterator[Row]:
    """The means over the clips; of SiamRPN one for each training."""
    ours = table[table.index.str.startswith("SiamRPN")]
    goal = ">= 0.70" if kind == "steady" else ""
    yield Row(f"SiamRPN, {kind} clips, mean IoU", ours["IoU"].tolist(), "", goal)
    yield Row(f"SiamRPN, {kind} clips, AUC", ours["AUC"].tolist(), "", "> KCF's and CSRT's")
    for name in ("KCF", "CSRT"):
        yield Row(f"{name}, {kind} clips, AUC", [table.loc[name, "AUC"]], "")


def _train(root: Path, seed: int) -> Path:
    """The /opt/ml of a job that trained with the program's defaults."""
    base = root / f"job-{seed}"
    (base / "input/config").mkdir(parents=True)
    (base / "input/data").mkdir()
    for split in ("training", "validation"):
        (base / "input/data" / split).symlink_to(root / split)
    given = {"task": "tracking", "seed": str(seed)}
    (base / "input/config/hyperparameters.json").write_text(json.dumps(given))
    python = images.build(CONTAINERS / "images.toml", "gluoncv")
    environ = {"SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": str(CONTAINERS / "common"), "OMP_NUM_THREADS": "2"}
    subprocess.run([python, CONTAINERS / "gluoncv/train.py"], env={**os.environ, **environ}, check=True)
    return base


def _rate(model: Path) -> float:
    """Frames a second of the tracker alone."""
    frame = np.random.default_rng(0).integers(0, 255, (*HD[::-1], 3), np.uint8)
    tracker = SiamRPN(model)
    tracker.start(frame, (600, 300, 40, 90))
    return FRAMES / seconds(lambda: [tracker.update(frame) for _ in range(FRAMES)])
