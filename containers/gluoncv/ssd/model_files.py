"""What a model directory holds when training is done."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from detection.files import write_json
from gluoncv.model_zoo.ssd.ssd import SSD

from . import checkpoints, export
from .anchors import Sides
from .names import BEST, CONFIG
from .pictures import LetterBox


def config(name: str, classes: Sequence[str], box: LetterBox, sides: Sides | None) -> dict[str, Any]:
    """What serving and a later training have to know of the network of this name."""
    return {"network": name, "classes": list(classes), "letter_box": asdict(box), "anchors": sides}


def write(
    folder: Path,
    network: SSD,
    content: dict[str, Any],
    nms: dict[str, Any],
    canvas: tuple[int, int],
    *,
    with_onnx: bool,
) -> None:
    """Write the network with the best weights in `folder`, or its own where there are none, in all forms.

    Args: `content` of the configuration; `canvas` is the width and height of the input that the ONNX file takes.
    """
    if (folder / BEST).is_file():
        checkpoints.load_weights(network, folder / BEST)
    else:
        checkpoints.save_weights(network, folder / BEST)
    export.symbol(network, folder, canvas, nms)
    if with_onnx:
        difference = export.onnx(network, folder, canvas)
        print(f"model.onnx: input {canvas[0]}x{canvas[1]}, differs from MXNet by {difference:.1g}")
    write_json(folder / CONFIG, content)
