"""A training program that does what its hyperparameters say, with the standard library alone."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
MODEL, DATA = BASE / "model", BASE / "output" / "data"


def stop(number, frame):
    (MODEL / "stopped.txt").write_text("stopped by SIGTERM")
    sys.exit(0)


def listing(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_epochs(hyperparameters):
    """The bytes of the pipes of channel "train" as hex, an entry for each epoch; at most "bytes" of each."""
    epochs = []
    for epoch in range(int(hyperparameters["epochs"])):
        with (BASE / "input" / "data" / f"train_{epoch}").open("rb") as pipe:
            epochs.append(pipe.read(int(hyperparameters.get("bytes", -1))).hex())
    return epochs


def main():
    hyperparameters = json.loads((BASE / "input" / "config" / "hyperparameters.json").read_text())
    print("first line", flush=True)
    checkpoint = BASE / "checkpoints" / "state" / "step.txt"
    step = int(checkpoint.read_text()) if checkpoint.exists() else 0
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write_text(str(step + 1))
    (MODEL / "weights.txt").write_text("w" * 100)
    report = {
        "argv": sys.argv[1:],
        "environ": dict(os.environ),
        "input": listing(BASE / "input"),
        "cwd": str(Path.cwd()),
    }
    if "epochs" in hyperparameters:
        report["epochs"] = read_epochs(hyperparameters)
    (DATA / "report.json").write_text(json.dumps(report))
    if "orphan" in hyperparameters:
        subprocess.Popen(["sleep", hyperparameters["orphan"]], start_new_session=True)
    for number in range(int(hyperparameters.get("lines", 0))):
        print(f"step {number} loss={1 / (number + 1):.6f}; val_loss={number}.0;")
    if "sleep" in hyperparameters:
        handler = signal.SIG_IGN if "stubborn" in hyperparameters else stop
        signal.signal(signal.SIGTERM, handler)
        print("sleeping", flush=True)
        time.sleep(float(hyperparameters["sleep"]))
    if "failure" in hyperparameters:
        (BASE / "output" / "failure").write_text(hyperparameters["failure"])
    sys.exit(int(hyperparameters.get("exit", 0)))


main()
