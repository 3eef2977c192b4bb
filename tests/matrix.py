"""`make test-matrix`: the contract suite with every SageMaker SDK, over HTTP and in-process, as a table.

Every SDK has an environment of its own below ~/.cache/signal-labs/matrix, made by uv on first use. The newest SDK
may fail: it is reported. Arguments go to pytest, such as `-k endpoint`.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TRANSPORTS = ("http", "in-process")
NEWEST = "newest"
QUIET = ("-W", "ignore::DeprecationWarning", "-W", "ignore::SyntaxWarning")  # of the SDKs' own sources


@dataclass(frozen=True)
class Sdk:
    """One release of the SageMaker SDK; without its sub-packages' pins, pip brings the newest of them."""

    version: str
    pins: tuple[str, ...]

    @property
    def python(self) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cache / "signal-labs" / "matrix" / f"sagemaker-{self.version}-python{version}" / "bin" / "python"

    def build(self) -> None:
        """Make the environment, or bring it up to date. Raises CalledProcessError."""
        uv = [sys.executable, "-m", "uv"]
        if not self.python.exists():
            subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, self.python.parents[1]], check=True)
        newest = ["--upgrade-package", "sagemaker"] if self.version == NEWEST else []
        install = [*uv, "pip", "install", "--quiet", "--python", self.python, *newest]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.writelines(line for line in self._constraints())
            constraints.flush()
            subprocess.run(
                [*install, "-c", constraints.name, "-e", f"{PROJECT}[local]", "pytest", "hypothesis", *self.pins],
                check=True,
            )

    def _constraints(self) -> Iterator[str]:
        for line in (PROJECT / "constraints.txt").read_text().splitlines(keepends=True):
            if not line.startswith("sagemaker"):
                yield line


def release(minor: int) -> Sdk:
    """SDK 3.<minor>.0 with the sub-packages of the same day."""
    parts = {"sagemaker": 3, "sagemaker-core": 2, "sagemaker-train": 1, "sagemaker-serve": 1, "sagemaker-mlops": 1}
    return Sdk(f"3.{minor}.0", tuple(f"{name}=={major}.{minor}.0" for name, major in parts.items()))


SDKS = (release(12), release(27), Sdk(NEWEST, ("sagemaker",)))


@dataclass(frozen=True)
class Row:
    """What one run of pytest came to."""

    suite: str
    transport: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""

    @property
    def good(self) -> bool:
        return self.passed > 0 and self.failed == 0 and not self.note


def run(suite: str, python: Path, transport: str, arguments: list[str]) -> Row:
    """Run pytest with an environment's Python; its output goes through."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            python,
            "-m",
            "pytest",
            "-q",
            "tests/contract",
            "--transport",
            transport,
            f"--junitxml={report}",
            *QUIET,
        ]
        print(f"== {suite}, {transport}", flush=True)
        code = subprocess.run([*command, *arguments], cwd=PROJECT).returncode
        if not report.exists():
            return Row(suite, transport, note=f"pytest ended with {code}")
        counts = ElementTree.parse(report).getroot().find("testsuite").attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    skipped = int(counts["skipped"])
    return Row(suite, transport, int(counts["tests"]) - failed - skipped, failed, skipped)


def rows(arguments: list[str]) -> Iterator[Row]:
    for transport in TRANSPORTS:
        yield run("boto3, CLI", Path(sys.executable), transport, ["-m", "not sdk", *arguments])
    for sdk in SDKS:
        try:
            sdk.build()
        except subprocess.CalledProcessError as error:
            yield Row(f"sagemaker {sdk.version}", "-", note=f"not installed (uv ended with {error.returncode})")
            continue
        for transport in TRANSPORTS:
            yield run(f"sagemaker {sdk.version}", sdk.python, transport, ["-m", "sdk", *arguments])


def main() -> int:
    done = list(rows(sys.argv[1:]))
    print(f"\n{'client':<20} {'transport':<12} {'passed':>6} {'failed':>6} {'skipped':>7}")
    for row in done:
        print(
            f"{row.suite:<20} {row.transport:<12} {row.passed:>6} {row.failed:>6} {row.skipped:>7}  {row.note}".rstrip()
        )
    must = [row for row in done if NEWEST not in row.suite]
    return 0 if all(row.good for row in must) else 1


if __name__ == "__main__":
    sys.exit(main())
