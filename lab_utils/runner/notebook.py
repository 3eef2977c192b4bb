"""The labs as files: which there are, what they say of themselves, their steps and parameters cells."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab_utils.errors import ConfigError

Cell = dict[str, Any]
_STEP = re.compile(r"^## Step (\d+)[\s.:–—-]*(.*?)\s*$", re.MULTILINE)
_FILE = re.compile(r"\d\d[a-z]?_\w+\.ipynb")


@dataclass(frozen=True)
class Step:
    """A numbered step of a lab: `## Step 4: Train the detector`."""

    number: int
    title: str


@dataclass(frozen=True)
class Lab:
    """One notebook of the course.

    Attributes:
        path: the file `NN_name.ipynb`, or `NNa_name.ipynb` of a part.
        notebook: its parsed JSON (nbformat 4).
    """

    path: Path
    notebook: dict[str, Any]

    @property
    def number(self) -> str:
        """`01`; `05a` for a part that can run alone of Lab 05."""
        return self.path.name.partition("_")[0]

    @property
    def name(self) -> str:
        """The file's name without its ending: `01_detectron2_detection`."""
        return self.path.stem

    @property
    def label(self) -> str:
        """Number and first word of the name, for lines with little room: `01 detectron2`."""
        return " ".join(self.name.split("_")[:2])

    @property
    def about(self) -> dict[str, Any]:
        """The notebook's `signal_labs` metadata: lab, title, minutes by profile, image."""
        return self.notebook.get("metadata", {}).get("signal_labs", {})

    @property
    def title(self) -> str:
        return self.about.get("title") or self.name.partition("_")[2].replace("_", " ")

    @cached_property
    def steps(self) -> dict[int, Step]:
        """Step by the index of the cell that starts it, in order."""
        found = {i: step_of(cell) for i, cell in enumerate(self.notebook["cells"])}
        return {i: step for i, step in found.items() if step}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over type, tags and source of every cell."""
        cells = [[c["cell_type"], tags(c), source(c)] for c in self.notebook["cells"]]
        return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def source(cell: Cell) -> str:
    """A cell's text; on disk it may be a list of lines."""
    return "".join(cell["source"])


def tags(cell: Cell) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def step_of(cell: Cell) -> Step | None:
    """The last step that a Markdown cell starts, if any."""
    headings = _STEP.findall(source(cell)) if cell["cell_type"] == "markdown" else []
    return Step(int(headings[-1][0]), headings[-1][1]) if headings else None


def read(path: Path) -> Lab:
    """Read a notebook file; ConfigError names the file when it is not one."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(notebook["cells"], list):
            raise TypeError("cells is not a list")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a Jupyter notebook ({error})") from error
    return Lab(path, notebook)


def discover(folder: Path) -> list[Lab]:
    """Every lab of a folder, by number."""
    labs = [read(path) for path in sorted(folder.glob("*.ipynb")) if _FILE.fullmatch(path.name)]
    if not labs:
        raise ConfigError(f"{folder}: no labs here (expected files such as 01_detection.ipynb)")
    return labs


def select(labs: list[Lab], names: list[str]) -> list[Lab]:
    """The labs called by number, name or file; all of them when none is called. Order and doubles are the labs'.

    `05` calls all parts of Lab 05.
    """
    wanted = {Path(name).name.removesuffix(".ipynb") for name in names}
    known = {called for lab in labs for called in _calls(lab)}
    if unknown := sorted(wanted - known):
        listing = ", ".join(f"{lab.number} ({lab.name})" for lab in labs)
        raise ConfigError(f"unknown lab {', '.join(unknown)}: expected {listing}")
    return [lab for lab in labs if not wanted or wanted & _calls(lab)]


def _calls(lab: Lab) -> set[str]:
    return {lab.number, lab.number[:2], lab.name}
