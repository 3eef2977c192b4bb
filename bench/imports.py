"""`import lab_utils`, beside an interpreter that imports nothing."""

import subprocess
import sys

from bench.table import Row, seconds


def run() -> list[Row]:
    samples: dict[str, list[float]] = {"pass": [], "import lab_utils": []}
    for _ in range(15):
        for program, times in samples.items():
            times.append(seconds(lambda p=program: subprocess.run([sys.executable, "-c", p], check=True)))
    bare, whole = samples.values()
    return [
        Row("interpreter start", bare, "s"),
        Row("interpreter start with import lab_utils", whole, "s"),
        Row("import lab_utils", [w - b for w, b in zip(whole, bare, strict=True)], "s", "<= 0.2 s"),
    ]
