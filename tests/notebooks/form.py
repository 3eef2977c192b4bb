"""The form of a lab's notebook. Each rule yields one line for every place that breaks it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from lab_utils.profiles import PROFILES
from lab_utils.runner.notebook import Cell, Lab, source, tags
from lab_utils.runner.parameters import defaults

CELL_LINES = 15
FUNCTION_LINES = 5
PARAMETERS = ("backend", "profile", "dataset", "seed")
FRONT_MATTER = ("(goals?|you will)", "minutes", "costs?", "licen[cs]e")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(|<img\b([^>]*)>")

Rule = Callable[[Lab], Iterator[str]]


def no_outputs(lab: Lab) -> Iterator[str]:
    for index, cell in _code(lab):
        if cell["outputs"] or cell["execution_count"] is not None:
            yield f"cell {index}: committed with outputs or an execution count"


def identified_cells(lab: Lab) -> Iterator[str]:
    ids = [cell.get("id") for cell in lab.notebook["cells"]]
    if lab.notebook["nbformat"] != 4 or lab.notebook["nbformat_minor"] < 5 or None in ids:
        yield "not nbformat 4.5 with a cell id in every cell"
    if len(set(ids)) < len(ids):
        yield "two cells share an id"


def short_cells(lab: Lab) -> Iterator[str]:
    for index, cell in _code(lab):
        count = len(source(cell).splitlines())
        if count > CELL_LINES:
            yield f"cell {index}: {count} lines, at most {CELL_LINES}"


def short_functions(lab: Lab) -> Iterator[str]:
    for index, cell in _code(lab):
        for node in ast.walk(ast.parse(TransformerManager().transform_cell(source(cell)))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = node.end_lineno - node.lineno + 1
                if count > FUNCTION_LINES:
                    yield f"cell {index}: {node.name}() has {count} lines, at most {FUNCTION_LINES}"


def one_parameters_cell(lab: Lab) -> Iterator[str]:
    cells = _tagged(lab, "parameters")
    if len(cells) != 1:
        yield f"{len(cells)} cells tagged 'parameters', expected one"
    elif missing := set(PARAMETERS) - set(defaults(lab)):
        yield f"the parameters cell does not set {', '.join(sorted(missing))}"


def front_matter(lab: Lab) -> Iterator[str]:
    first = lab.notebook["cells"][0]
    if first["cell_type"] != "markdown" or not source(first).startswith("# "):
        yield "the first cell is not Markdown with a `# ` title"
    for word in FRONT_MATTER:
        if not re.search(rf"\b{word}\b", source(first), re.IGNORECASE):
            yield f"the front matter does not name: {word}"


def numbered_steps(lab: Lab) -> Iterator[str]:
    numbers = [step.number for step in lab.steps.values()]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        yield f"steps are numbered {numbers}, expected 1, 2, 3 ..."
    for step in lab.steps.values():
        if not step.title:
            yield f"step {step.number} has no title"


def gate(lab: Lab) -> Iterator[str]:
    cells = _tagged(lab, "gate")
    if not cells:
        yield "no cell tagged 'gate'"
    for index in cells:
        if "gate(" not in source(lab.notebook["cells"][index]):
            yield f"cell {index}: tagged 'gate' but does not call gate()"


def clean_up_last(lab: Lab) -> Iterator[str]:
    code = [index for index, _ in _code(lab)]
    if not code or _tagged(lab, "clean-up")[-1:] != code[-1:]:
        yield "the last code cell is not tagged 'clean-up'"


def about(lab: Lab) -> Iterator[str]:
    said = lab.about
    if said.get("lab") != lab.number:
        yield f"metadata signal_labs.lab is {said.get('lab')!r}, expected {lab.number!r}"
    if not said.get("title"):
        yield "metadata signal_labs.title is missing"
    minutes = said.get("minutes", {})
    if set(minutes) != set(PROFILES) or not all(isinstance(m, int | float) and m > 0 for m in minutes.values()):
        yield f"metadata signal_labs.minutes: expected a number for each of {', '.join(PROFILES)}"
    if "image" not in said:
        yield "metadata signal_labs.image is missing (null where the lab has none)"


def described_pictures(lab: Lab) -> Iterator[str]:
    for index, cell in enumerate(lab.notebook["cells"]):
        for match in _PICTURE.finditer(source(cell) if cell["cell_type"] == "markdown" else ""):
            text = match[1] if match[2] is None else "".join(re.findall(r"""alt=["']([^"']*)""", match[2]))
            if not text.strip():
                yield f"cell {index}: a picture has no alternative text"


RULES: tuple[Rule, ...] = (
    no_outputs,
    identified_cells,
    short_cells,
    short_functions,
    one_parameters_cell,
    front_matter,
    numbered_steps,
    gate,
    clean_up_last,
    about,
    described_pictures,
)


def labs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ipynb"))


def _code(lab: Lab) -> Iterator[tuple[int, Cell]]:
    return ((i, cell) for i, cell in enumerate(lab.notebook["cells"]) if cell["cell_type"] == "code")


def _tagged(lab: Lab, tag: str) -> list[int]:
    found: list[Any] = [i for i, cell in _code(lab) if tag in tags(cell)]
    return found
