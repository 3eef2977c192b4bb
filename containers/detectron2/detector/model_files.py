"""What a model directory holds besides the weights: configuration and class names."""

import json
from collections.abc import Sequence
from pathlib import Path

from detection.files import write_json, write_text
from detectron2.config import CfgNode, get_cfg
from sagemaker_contract import UserError

from .weights import BEST

CONFIG, CLASSES = "config.yaml", "classes.json"


def write(model_dir: Path, cfg: CfgNode, classes: Sequence[str]) -> None:
    """Write the configuration and the class names."""
    write_text(model_dir / CONFIG, cfg.dump())
    write_json(model_dir / CLASSES, list(classes))


def read(model_dir: Path) -> tuple[CfgNode, list[str], Path]:
    """Configuration, class names and the weights' path. Raises UserError naming the file that is missing."""
    for name in (BEST, CONFIG, CLASSES):
        if not (model_dir / name).is_file():
            raise UserError(f"{model_dir}: no {name}")
    cfg = get_cfg()
    cfg.merge_from_file(str(model_dir / CONFIG))
    return cfg, json.loads((model_dir / CLASSES).read_text(encoding="utf-8")), model_dir / BEST
