"""What an executed notebook shows: gates, figures, and the cell that failed."""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lab_utils.gates import GATE_MIME, Gate
from lab_utils.runner.notebook import Cell, step_of, tags

_NOT_WORK = {"parameters", "injected-parameters"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_IMAGES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Figure:
    """A thumbnail for the report: JPEG or PNG as a `data:` URI, its alternative text, the cell it comes from."""

    uri: str
    alt: str
    cell_id: str


def gates(notebook: dict[str, Any]) -> list[Gate]:
    return [o["data"][GATE_MIME] for cell in notebook["cells"] for o in _rich(cell) if GATE_MIME in o["data"]]


def did_work(notebook: dict[str, Any]) -> bool:
    """Whether any cell ran besides the parameters, and took any time at all."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code" and not _NOT_WORK & set(tags(c))]
    ran = [c for c in cells if c.get("execution_count")]
    return any(cell["metadata"].get("papermill", {}).get("duration") for cell in ran)


def error_of(cell: Cell) -> tuple[str, str]:
    """The error in a cell's outputs as one line and as plain traceback; empty texts if there is none."""
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            first = (output["evalue"].strip().splitlines() or [""])[0]
            line = f"{output['ename']}: {first}".rstrip(": ")
            return line, _ANSI.sub("", "\n".join(output["traceback"]))
    return "", ""


def describe_images(notebook: dict[str, Any]) -> None:
    """Give every image output an alternative text under `metadata["alt"]`, unless the notebook gave one."""
    step, count = "", 0
    for cell in notebook["cells"]:
        found = step_of(cell)
        step = found.title if found else step
        for output in _rich(cell):
            if mime := _image_mime(output):
                count += 1
                nested = output["metadata"].get(mime, {}).get("alt")
                output["metadata"].setdefault("alt", nested or f"Figure {count}: {step or 'output'}")


def thumbnails(notebook: dict[str, Any], most: int = 4, width: int = 560) -> list[Figure]:
    """The first figure of each step, at most `most` of them and `width` pixels wide (described before)."""
    chosen: dict[str, Figure] = {}
    step = ""
    for cell in notebook["cells"]:
        found = step_of(cell)
        step = found.title if found else step
        for output in _rich(cell):
            if (mime := _image_mime(output)) and step not in chosen and len(chosen) < most:
                uri = _thumbnail(output["data"][mime], width)
                chosen[step] = Figure(uri, output["metadata"]["alt"], cell.get("id", ""))
    return list(chosen.values())


def _rich(cell: Cell) -> Iterator[dict[str, Any]]:
    return (output for output in cell.get("outputs", []) if "data" in output)


def _image_mime(output: dict[str, Any]) -> str | None:
    return next((mime for mime in _IMAGES if mime in output["data"]), None)


def _thumbnail(encoded: str, width: int) -> str:
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        small = Image.new("RGB", image.size, "white")
        rgba = image.convert("RGBA")
        small.paste(rgba, mask=rgba)
    small.thumbnail((width, 4 * width))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
