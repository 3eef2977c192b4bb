"""Parameters of a lab: names, types and defaults come from its `parameters` cell."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab_utils.errors import ConfigError
from lab_utils.runner.notebook import Lab, source, tags

_OPTIONS = ("profile", "backend")
_FILES = ("voc", "coco", "manifest", "frsign", "lisa")
_BOOL = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def defaults(lab: Lab) -> dict[str, Any]:
    """Parameter names with their default values; a default that is computed (`os.environ...`) counts as a text."""
    cells = [source(c) for c in lab.notebook["cells"] if "parameters" in tags(c)]
    found: dict[str, Any] = {}
    for statement in ast.parse("\n".join(cells)).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = _literal(statement.value)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = _literal(statement.value) if statement.value else None
    return found


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ""


def parse(assignments: Sequence[str]) -> dict[str, str]:
    """`["seed=1"]` -> `{"seed": "1"}`; ConfigError when there is no `=` or the name is an option's."""
    parsed = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigError(f"-p {text}: expected NAME=VALUE")
        if name in _OPTIONS:
            raise ConfigError(f"-p {text}: use --{name} {value}")
        parsed[name] = value
    return parsed


def typed(labs: Sequence[Lab], given: Mapping[str, str], here: Path) -> dict[str, dict[str, Any]]:
    """What each lab gets of the given parameters, by the lab's name, with the types of its own defaults.

    Args:
        labs: the selected labs.
        given: names and texts from the command line.
        here: folder to which the paths of data sets are relative.

    Raises:
        ConfigError: no selected lab has a parameter of that name, a value has the wrong type, a path is missing.
    """
    known = {lab.name: defaults(lab) for lab in labs}
    everything = sorted({name for names in known.values() for name in names} - set(_OPTIONS))
    for name in given:
        if name not in everything:
            raise ConfigError(f"unknown parameter {name!r}: expected one of {', '.join(everything)}")
    return {
        lab: {name: _convert(name, text, names[name], here) for name, text in given.items() if name in names}
        for lab, names in known.items()
    }


def _convert(name: str, text: str, default: Any, here: Path) -> Any:
    """`text` as a value of the default's type; None stands for any literal."""
    if isinstance(default, str):
        return _data_path(text, here) if name == "dataset" else text
    try:
        if isinstance(default, bool):
            return _BOOL[text.lower()]
        if isinstance(default, int | float):
            return type(default)(text)
        value = ast.literal_eval(text)
    except (ValueError, KeyError, SyntaxError) as error:
        if default is None:
            return text
        kind = type(default).__name__
        raise ConfigError(f"-p {name}={text}: expected {kind}, such as {default!r}") from error
    if default is not None and not isinstance(value, type(default)):
        raise ConfigError(f"-p {name}={text}: expected {type(default).__name__}, such as {default!r}")
    return value


def _data_path(spec: str, here: Path) -> str:
    """`voc:PATH` with the path made absolute: the notebook runs in another folder than the command."""
    scheme, _, rest = spec.partition(":")
    if scheme not in _FILES or rest.startswith("s3://"):
        return spec
    path = (here / Path(rest).expanduser()).resolve()
    if not rest or not path.exists():
        raise ConfigError(f"-p dataset={spec}: no such file or folder: {path}")
    return f"{scheme}:{path}"
