"""Tiny notebooks for the tests: `notebook("x = 1", steps=["Count"])` and the parts they are made of."""

import json
from pathlib import Path
from typing import Any

PARAMETERS = 'backend = "local"\nprofile = "laptop"\ndataset = "synthetic"\nseed = 0'


def code(source: str, *tags: str) -> dict[str, Any]:
    return _cell("code", source, tags) | {"outputs": [], "execution_count": None}


def markdown(source: str, *tags: str) -> dict[str, Any]:
    return _cell("markdown", source, tags)


def _cell(kind: str, source: str, tags: tuple[str, ...]) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)} if tags else {}}


def notebook(*cells: dict[str, Any], **about: Any) -> dict[str, Any]:
    """A notebook (nbformat 4.5) of these cells; `about` is its `signal_labs` metadata."""
    numbered = [{"id": f"cell-{index}", **cell} for index, cell in enumerate(cells)]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "signal_labs": about,
    }
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": numbered}


def write(folder: Path, name: str, *cells: dict[str, Any], **about: Any) -> Path:
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(notebook(*cells, **about)))
    return path
