"""Let detectron2 0.6 run with current packages, on CPU too. Call `prepare()` before importing detectron2.

Each gap is filled only where it exists, so a full build of upstream detectron2 runs untouched:
* torchvision's `nms` and `roi_align` in plain PyTorch, when its compiled ones do not load
  (a CUDA build of torchvision beside a CPU torch);
* a stand-in for `detectron2._C` (rotated boxes, deformable convolution), which raises when used;
* `pkg_resources`, gone from setuptools 82, and `PIL.Image.LINEAR`, gone from Pillow 10.
"""

import functools
import importlib.util
import logging
import sys
import types
import warnings
from pathlib import Path


@functools.cache
def prepare() -> str:
    """Fill the gaps once a process; returns which of torchvision's operators are used."""
    operators = _provide_torchvision_operators()
    _provide_extension()
    _provide_pkg_resources()
    _provide_pillow_names()
    _quieten()
    return operators


def _provide_torchvision_operators() -> str:
    import torch

    folder = Path(importlib.util.find_spec("torchvision").origin).parent
    try:
        torch.ops.load_library(next(folder.glob("_C*")))
    except (OSError, StopIteration):
        _replace_torchvision_operators(torch)
        return "plain PyTorch"
    return "compiled"


def _replace_torchvision_operators(torch) -> None:
    # torchvision does not import unless these two names are known to the dispatcher.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _replace_torchvision_operators.library = library  # the definitions live as long as this object
    import torchvision.ops

    from . import torch_ops

    torchvision.ops.boxes.nms = torchvision.ops.nms = torch_ops.nms
    torchvision.ops.roi_align = torch_ops.roi_align


class _MissingExtension(types.ModuleType):
    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"detectron2._C.{name}: detectron2 was installed without its compiled extension")


def _provide_extension() -> None:
    folder = Path(importlib.util.find_spec("detectron2").origin).parent
    if not any(folder.glob("_C*")):
        sys.modules.setdefault("detectron2._C", _MissingExtension("detectron2._C"))


def _provide_pkg_resources() -> None:
    if importlib.util.find_spec("pkg_resources"):
        return
    module = types.ModuleType("pkg_resources")

    def resource_filename(package: str, name: str) -> str:
        return str(Path(importlib.util.find_spec(package).origin).parent / name)

    module.resource_filename = resource_filename
    sys.modules.setdefault("pkg_resources", module)


def _provide_pillow_names() -> None:
    from PIL import Image

    if not hasattr(Image, "LINEAR"):
        Image.LINEAR = Image.Resampling.BILINEAR


def _quieten() -> None:
    # Said of the zoo's own files, and of detectron2's own call: nothing that a user of the programs could change.
    logging.getLogger("fvcore.common.config").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
