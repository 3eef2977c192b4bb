"""All labs through the runner, as a user runs them."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.table import Row, seconds

PROJECT = Path(__file__).resolve().parents[1]
SEEDS = (0, 1, 2)


def _run(profile: str, seed: int) -> dict[str, dict]:
    """Run all labs afresh; the results by lab."""
    out = PROJECT / "build" / "bench" / f"{profile}-{seed}"
    command = [Path(sys.executable).with_name("labs"), "run", "--fresh", "--profile", profile, "--out", out]
    subprocess.run([*map(str, command), "-p", f"seed={seed}"], cwd=PROJECT)
    return {row["lab"]: row for row in json.loads((out / "results.json").read_text())}


def smoke() -> list[Row]:
    """Both labs in the smoke profile."""
    runs = [_run("smoke", seed) for seed in SEEDS]
    return [Row("labs, smoke, warm", [sum(r["seconds"] for r in run.values()) for run in runs], "s", "<= 150 s")]


def laptop() -> list[Row]:
    """Both labs in the laptop profile, with what Lab 01's gates measured."""
    runs = [_run("laptop", seed) for seed in SEEDS]
    gates = [{g["name"]: g["value"] for g in run["01_detectron2_detection"]["gates"]} for run in runs]
    figures = {
        "AP50 on the test split": ("", ">= 0.85"),
        "AP on the test split": ("", ""),
        "training time": ("s", "<= 240 s"),
        "peak memory of training": ("GB", "<= 1 GB"),
    }
    return [
        Row("labs, laptop, warm", [sum(r["seconds"] for r in run.values()) for run in runs], "s", "<= 480 s"),
        *(Row(f"lab 01, {name}", [g[name] for g in gates], *meaning) for name, meaning in figures.items()),
    ]


def cold() -> list[Row]:
    """`make labs` from a fresh clone with an empty home: set-up, image, data and both labs."""
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
