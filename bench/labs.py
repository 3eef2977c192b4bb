"""All labs through the runner, as a user runs them."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.table import Row, seconds

PROJECT = Path(__file__).resolve().parents[1]
SEEDS = (0, 1, 2)
GOALS = {  # lab -> gate -> unit and goal
    "01_detectron2_detection": {
        "AP50 on the test split": ("", ">= 0.85"),
        "AP on the test split": ("", ""),
        "training time": ("s", "<= 240 s"),
        "peak memory of training": ("GB", "<= 1 GB"),
    },
    "02_gluoncv_ssd_detection": {
        "AP50 on the test split": ("", ">= 0.75"),
        "AP on the test split": ("", ""),
        "training time": ("s", "<= 360 s"),
        "peak memory of training": ("GB", ""),
    },
    "03_siamrpn_tracking": {
        "AUC, SiamRPN": ("", "> CSRT's"),
        "AUC, SiamRPN less CSRT": ("", "> 0"),
        "AUC gained by the detector": ("", "> 0"),
        "IoU, SiamRPN with the detector": ("", ">= 0.70"),
        "returns recovered within 15 frames": ("", ">= 0.90"),
        "HOTA": ("", ""),
        "training time": ("s", "<= 240 s"),
    },
    "04_built_in_object_detection": {
        "VOC12 mAP on the test split": ("", "10 times the floor"),
        "mAP gained by incremental training": ("", "> 0"),
        "training time, all three": ("s", ""),
    },
    "05a_tfod_own_data": {
        "AP50 on the test split": ("", ">= 0.8"),
        "AP50 that int8 loses": ("", "<= 0.05"),
        "size of int8 by that of float": ("", "<= 0.5"),
        "training time": ("s", "<= 300 s"),
    },
    "05b_tfod_lisa_signs": {
        "AP50 on the test split": ("", ""),
        "share of strangers taken for known signs": ("", ""),
        "training time": ("s", ""),
    },
    "05c_tfod_urban_video": {
        "AP50 on the test split, the chosen model": ("", ""),
        "share of the video's frames with a detection": ("", ""),
        "training time, all together": ("s", ""),
    },
}
Results = dict[str, dict[str, Any]]  # lab -> its row of results.json


def _run(profile: str, seed: int) -> Results:
    """Run all labs afresh; the results by lab."""
    out = PROJECT / "build" / "bench" / f"{profile}-{seed}"
    command = [Path(sys.executable).with_name("labs"), "run", "--fresh", "--profile", profile, "--out", out]
    subprocess.run([*map(str, command), "-p", f"seed={seed}"], cwd=PROJECT)
    return {row["lab"]: row for row in json.loads((out / "results.json").read_text())}


def smoke() -> list[Row]:
    """All labs in the smoke profile."""
    return _durations("smoke", [_run("smoke", seed) for seed in SEEDS], "<= 75 s")


def laptop() -> list[Row]:
    """All labs in the laptop profile, with what their gates measured."""
    runs = [_run("laptop", seed) for seed in SEEDS]
    return [*_durations("laptop", runs, "<= 480 s"), *(row for lab in GOALS for row in _gates(lab, runs))]


def _durations(profile: str, runs: list[Results], goal: str) -> list[Row]:
    return [
        Row(f"lab {lab.partition('_')[0]}, {profile}, warm", [run[lab]["seconds"] for run in runs], "s", goal)
        for lab in runs[0]
    ]


def _gates(lab: str, runs: list[Results]) -> list[Row]:
    gates = [{gate["name"]: gate["value"] for gate in run[lab]["gates"]} for run in runs]
    return [
        Row(f"lab {lab.partition('_')[0]}, {name}", [values[name] for values in gates], unit, goal)
        for name, (unit, goal) in GOALS[lab].items()
    ]


def cold() -> list[Row]:
    """`make labs` from a fresh clone with an empty home: set-up, images, data and all labs."""
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        home = Path(folder, "home")
        home.mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LABS_", "VIRTUAL_ENV", "XDG_"))}
        python = {"PYTHON": str(Path(sys.base_prefix) / "bin" / "python3")}
        try:
            taken = seconds(
                lambda: subprocess.run(
                    ["make", "labs"], cwd=clone, env={**kept, **python, "HOME": str(home)}, check=True
                )
            )
        finally:
            subprocess.run(["make", "clean"], cwd=clone, env={**kept, **python, "HOME": str(home)})
    return [Row("make labs from a fresh clone, empty home", [taken], "s", "<= 900 s")]
