"""Colours that colour-blind readers can tell apart.

Okabe and Ito's eight (2008) without black and, for a reader of dark photographs, without their palest; beyond them the
cycle repeats, and labels tell the classes apart.
"""

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2", "#F0E442")


def colour(class_id: int) -> str:
    """The colour of a class, as #RRGGBB."""
    return COLOURS[class_id % len(COLOURS)]


def ink(background: str) -> str:
    """Black or white, whichever reads better on `background` (#RRGGBB)."""
    red, green, blue = (int(background[i : i + 2], 16) for i in (1, 3, 5))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "white"
