"""The report of a run: one self-contained HTML page that links to the executed notebooks."""

import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from lab_utils import atomic
from lab_utils.gates import Gate, number, threshold
from lab_utils.runner import outputs
from lab_utils.runner.notebook import Lab
from lab_utils.runner.results import Result

if TYPE_CHECKING:
    from lab_utils.runner.run import Plan

_TEMPLATES = Path(__file__).parent / "templates"


def write(plan: "Plan", results: list[Result]) -> Path:
    """Write `index.html` and the executed notebooks' pages into `plan.out`; returns the index."""
    by_name = {result.lab: result for result in results}
    longest = max((_scale(lab, by_name[lab.name]) for lab in plan.labs if lab.name in by_name), default=1.0)
    context = {
        "cards": [_card(plan, lab, by_name[lab.name], longest) for lab in plan.labs if lab.name in by_name],
        "missing": [lab.title for lab in plan.labs if lab.name not in by_name],
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "seconds": sum(result.seconds for result in results if not result.cached),
        "facts": _facts(plan),
        "now": datetime.now(UTC),
    }
    index = plan.out / "index.html"
    atomic.write_text(index, _environment().get_template("report.html.j2").render(context))
    return index


def duration(seconds: float) -> str:
    """`4.2 s`, `1 min 23 s`, `4 min`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours} h" + (f" {minute} min" if minute else "")
    return f"{minutes} min" + (f" {second} s" if second else "")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["duration"] = duration
    environment.undefined = jinja2.StrictUndefined
    return environment


def _card(plan: "Plan", lab: Lab, result: Result, longest: float) -> dict[str, Any]:
    executed = plan.notebook(lab)
    expected = _expected(lab, result.profile)
    return {
        "lab": lab,
        "result": result,
        "expected": expected,
        "width": 100 * result.seconds / longest,
        "mark": 100 * expected / longest if expected else None,
        "gates": [_gate(gate) for gate in result.gates],
        "parameters": {name: str(value) for name, value in result.parameters.items()},
        **(_notebook(executed, lab) if executed.is_file() else {"page": None, "figures": []}),
    }


def _notebook(executed: Path, lab: Lab) -> dict[str, Any]:
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    outputs.describe_images(notebook)
    html = executed.with_suffix(".html")
    if not html.is_file() or html.stat().st_mtime < executed.stat().st_mtime:
        from lab_utils.runner import page  # nbconvert takes seconds to import

        page.write(executed, f"{lab.number} {lab.title}")
    return {"page": html.name, "ipynb": executed.name, "figures": outputs.thumbnails(notebook)}


def _gate(gate: Gate) -> dict[str, Any]:
    """A gate with its bar: lengths in percent, None where a bar would mislead."""
    bounds = [bound for bound in (gate["minimum"], gate["maximum"]) if bound is not None]
    values = [*bounds, gate["value"]]
    drawable = all(value is not None and value >= 0 for value in values) and any(values)
    end = _axis([value for value in values if value is not None]) if drawable else 1.0
    return {
        **gate,
        "shown": number(gate["value"], gate["unit"]),
        "expected": threshold(gate),
        "width": 100 * gate["value"] / end if drawable and gate["value"] is not None else None,
        "marks": [100 * bound / end for bound in bounds],
    }


def _axis(values: list[float]) -> float:
    """End of a bar's axis: 1 for ratios, else a little beyond the largest value."""
    largest = max(values)
    return 1.0 if 0.1 < largest <= 1 else 1.15 * largest


def _expected(lab: Lab, profile: str) -> float | None:
    """Seconds that the notebook says it takes in that profile."""
    minutes = lab.about.get("minutes", {}).get(profile)
    return 60.0 * minutes if minutes else None


def _scale(lab: Lab, result: Result) -> float:
    return max(result.seconds, _expected(lab, result.profile) or 0.0, 1e-9)


def _facts(plan: "Plan") -> dict[str, str]:
    facts = {
        "Profile": plan.profile,
        "Backend": {"local": "embedded SageMaker", "aws": "Amazon SageMaker"}[plan.backend],
        "Python": platform.python_version(),
        "SageMaker SDK": _version("sagemaker"),
        "Signal Labs": _version("signal-labs"),
        "Commit": _commit(plan.project),
    }
    return {name: value for name, value in facts.items() if value}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit(project: Path) -> str:
    """Short hash of the checkout, marked when files differ from it; empty outside git."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", project, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + (" + changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""
