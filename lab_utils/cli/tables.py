"""Tables, sizes and times for the terminal."""

from collections.abc import Sequence

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned columns, the first row being the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def duration(seconds: float | None) -> str:
    """Seconds as people say them: "45s", "3m 20s", "2h 5m", "4d 1h"; "–" for None."""
    if seconds is None:
        return "–"
    left = round(seconds)
    for (size, letter), (smaller, next_) in zip(_UNITS, (*_UNITS[1:], (1, "s")), strict=True):
        if left >= size:
            rest = left % size // smaller
            return f"{left // size}{letter}" + (f" {rest}{next_}" if rest else "")
    return f"{left}s"


def size(count: float) -> str:
    """Bytes with a unit: "512 B", "1.5 MB"."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
