"""Choose the first box of a track: with the mouse where a notebook shows widgets, by four numbers elsewhere."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from lab_utils.browse import is_live
from lab_utils.errors import ConfigError
from lab_utils.tracking.clips import Clip
from lab_utils.tracking.draw import draw_boxes
from lab_utils.tracking.tracker import Box, checked_box
from lab_utils.tracking.video import Video

SCRIPT = Path(__file__).with_name("choose.js")


def first_box(video: str | Path, numbers: str = "") -> Box:
    """The box to begin with: `numbers` if there are any, else the ground truth beside the video.

    Args:
        video: the video's path.
        numbers: "x,y,width,height" in pixels of the first frame, or empty.

    Raises:
        ConfigError: not four numbers, outside of the frame, or nothing to go by.
    """
    opened = Video.open(video)
    if numbers:
        try:
            box = tuple(float(value) for value in numbers.split(","))
        except ValueError as error:
            raise ConfigError(f"first_box {numbers!r}: expected four numbers x,y,width,height") from error
        return checked_box(box, opened.width, opened.height)  # type: ignore[arg-type]
    if Path(video).with_suffix(".csv").is_file():
        return checked_box(tuple(Clip(Path(video)).boxes(1)[0]), opened.width, opened.height)
    raise ConfigError(f"{video}: no ground truth beside it; set first_box to x,y,width,height")


class BoxChoice:
    """The first frame with a box on it; `box` is what was chosen, at first what was proposed.

    In a notebook a new box is drawn with the mouse. Where nobody can (papermill, a script) it is a picture.
    """

    def __init__(self, video: str | Path, proposed: Box) -> None:
        self._frame = Video.open(video).frame(0)
        self._proposed = proposed
        self._widget = _widget(self._frame, proposed) if is_live() else None

    @property
    def box(self) -> Box:
        """(xmin, ymin, width, height) in pixels of the frame."""
        chosen = tuple(self._widget.box) if self._widget else self._proposed
        return checked_box(chosen, self._frame.shape[1], self._frame.shape[0])

    def _ipython_display_(self) -> None:
        from IPython.display import display
        from PIL import Image as pictures

        display(self._widget or pictures.fromarray(draw_boxes(self._frame, [(self._proposed, "first box", 0)])))


def _widget(frame: Any, box: Box) -> Any:
    """A widget whose `box` follows the mouse."""
    import anywidget
    import traitlets

    class Chooser(anywidget.AnyWidget):
        _esm = SCRIPT
        image = traitlets.Unicode().tag(sync=True)
        box = traitlets.List(traitlets.Float()).tag(sync=True)

    return Chooser(image=_as_url(frame), box=list(box))


def _as_url(frame: Any) -> str:
    from PIL import Image as pictures

    content = io.BytesIO()
    pictures.fromarray(frame).save(content, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
