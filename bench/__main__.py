"""Run the measurements: all of them, or those named."""

import argparse
import os
import platform
from importlib import import_module

BENCHMARKS = {
    "imports": "bench.imports:run",
    "start": "bench.start:run",
    "formats": "bench.formats:run",
    "objects": "bench.objects:run",
    "jobs": "bench.jobs:run",
    "hosting": "bench.hosting:run",
    "tuning": "bench.tuning:run",
    "install": "bench.install:run",
    "edge": "bench.edge:run",
    "stability": "bench.stability:run",
    "siamrpn": "bench.siamrpn:run",
    "tracking": "bench.tracking:run",
    "smoke": "bench.labs:smoke",
    "laptop": "bench.labs:laptop",
    "cold": "bench.labs:cold",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "name", nargs="*", choices=[[], *BENCHMARKS], help=f"one of {', '.join(BENCHMARKS)}; default: all"
    )
    names = parser.parse_args().name or list(BENCHMARKS)
    rows = []
    for name in names:
        module, function = BENCHMARKS[name].split(":")
        rows += getattr(import_module(module), function)()
    load = os.getloadavg()[0]
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}")
    print(f"{'figure':<52} {'median':>9}      {'range':<18} {'':<5} goal")
    print("\n".join(map(str, rows)))


if __name__ == "__main__":
    main()
