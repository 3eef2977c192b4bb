"""The algorithm's networks: GluonCV's SSD on VGG-16 or ResNet-50 for any image shape, and the small one."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError

import mxnet as mx
from gluoncv.model_zoo.ssd.ssd import SSD, get_ssd
from gluoncv.model_zoo.ssd.vgg_atrous import vgg16_atrous_300, vgg16_atrous_512
from sagemaker_contract import UserError
from ssd import networks
from ssd.anchors import Sides
from ssd.names import SMALL as SMALL_NETWORK
from ssd.names import STRIDES

from .hyperparameters import SMALL

_THREE, _FIVE = [1, 2, 0.5], [1, 2, 0.5, 3, 1 / 3]  # an anchor's width to its height


def build(base: str, classes: Sequence[str], shape: int, sides: Sides | None, weights: Path | None, seed: int) -> SSD:
    """A network for square pictures of `shape` pixels.

    Args: `sides` anchors of the small network; `weights` folder for the base's published weights, None for none.
    Raises UserError when they cannot be had.
    """
    if base == SMALL:
        padded = math.ceil(shape / STRIDES[-1]) * STRIDES[-1]
        return networks.build(SMALL_NETWORK, classes, sides, padded, seed)
    mx.random.seed(seed)
    network = _zoo(base, classes, shape, weights)
    networks.initialize(network, shape)
    return network


def freeze(network: SSD, pattern: str) -> int:
    """Keep the base network's layers whose names the regular expression matches as they are; how many tensors.

    Raises UserError when it matches none.
    """
    if not pattern:
        return 0
    base = {re.sub(r"^ssd\d+_", "", p.name): p for p in network.features.collect_params().values()}
    matched = [parameter for name, parameter in base.items() if re.match(pattern, name)]
    if not matched:
        raise UserError(f"freeze_layer_pattern {pattern!r} matches no layer; the first are {', '.join(list(base)[:5])}")
    for parameter in matched:
        parameter.grad_req = "null"
    return len(matched)


def _zoo(base: str, classes: Sequence[str], shape: int, weights: Path | None) -> SSD:
    if base == "resnet-50":
        name, features, filters = "resnet50_v1", ["stage3_activation5", "stage4_activation2"], [512, 512, 256, 256]
        levels, first, ratios = 6, 0.1, [_THREE, _FIVE, _FIVE, _FIVE, _THREE, _THREE]
    else:
        large = shape >= 512
        name, features, filters = "vgg16_atrous", vgg16_atrous_512 if large else vgg16_atrous_300, None
        levels, first = (7, 0.07) if large else (6, 0.1)
        ratios = [_THREE, *[_FIVE] * (levels - 3), _THREE, _THREE]
    settings = {"filters": filters, "sizes": _sizes(shape, levels, first), "ratios": ratios, "classes": list(classes)}
    settings |= {"dataset": "", "anchor_alloc_size": math.ceil(shape / 8)}
    plain = get_ssd(name, shape, features, steps=[1] * levels, pretrained_base=False, **settings)
    steps = [shape / side for side in _level_sides(plain, shape)]
    try:
        return get_ssd(
            name, shape, features, steps=steps, pretrained_base=weights is not None, root=str(weights), **settings
        )
    except (OSError, URLError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UserError(
            f"use_pretrained_model: 1, but the weights of {base} cannot be downloaded ({reason}); set it to 0 to train "
            "from scratch, or give an earlier job's artifact in the channel model"
        ) from error


def _sizes(shape: int, levels: int, first: float) -> list[float]:
    """Anchor sizes in pixels, rising evenly from 0.2 to 0.95 of the shape after the first (SSD, arXiv 1512.02325)."""
    step = 0.75 / (levels - 1)
    return [first * shape, *((0.2 + step * i) * shape for i in range(levels))]


def _level_sides(network: SSD, shape: int) -> list[int]:
    """The sides of the feature maps for a square picture, without computing them."""
    features = mx.sym.Group(network.features(mx.sym.var("data")))
    return [shape[2] for shape in features.infer_shape(data=(1, 3, shape, shape))[1]]
