"""An executed notebook as one HTML file that needs no network."""

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter

from lab_utils import atomic
from lab_utils.runner import outputs

_TEMPLATE = Path(__file__).parent / "templates" / "notebook.html.j2"
_WIDGET = "application/vnd.jupyter.widget-view+json"


def write(executed: Path, title: str) -> Path:
    """Render an executed notebook beside itself (`.ipynb` -> `.html`) and return the page's path.

    Scripts that nbconvert's own template loads from a CDN (require.js, MathJax, Mermaid, widgets) are left out,
    and so are widgets (progress bars, sliders), which are dead without a kernel.
    """
    notebook = nbformat.read(executed, as_version=4)
    prepare(notebook)
    notebook.metadata["title"] = title
    exporter = HTMLExporter(raw_template=_TEMPLATE.read_text(encoding="utf-8"), embed_images=True)
    html, _ = exporter.from_notebook_node(
        notebook, resources={"metadata": {"name": title, "path": str(executed.parent)}}
    )
    page = executed.with_suffix(".html")
    atomic.write_text(page, html)
    return page


def prepare(notebook: Any) -> None:
    """Describe the images and take out what only a live kernel can show."""
    outputs.describe_images(notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if _WIDGET not in output.get("data", {})]
