"""Which models can be built, and where the zoo's weights are (detectron2's MODEL_ZOO.md)."""

from sagemaker_contract import UserError

SMALL = "small_fpn"
BACKBONES = {
    ("faster_rcnn", "1x"): ("R_50_C4", "R_50_DC5", "R_50_FPN"),
    ("faster_rcnn", "3x"): (
        "R_50_C4",
        "R_50_DC5",
        "R_50_FPN",
        "R_101_C4",
        "R_101_DC5",
        "R_101_FPN",
        "X_101_32x8d_FPN",
    ),
    ("retinanet", "1x"): ("R_50_FPN",),
    ("retinanet", "3x"): ("R_50_FPN", "R_101_FPN"),
}
MODEL_TYPES = ("faster_rcnn", "retinanet")
WEIGHTS = {  # files of the zoo, below URL
    "faster_rcnn_R_50_C4_1x": "137257644/model_final_721ade.pkl",
    "faster_rcnn_R_50_DC5_1x": "137847829/model_final_51d356.pkl",
    "faster_rcnn_R_50_FPN_1x": "137257794/model_final_b275ba.pkl",
    "faster_rcnn_R_50_C4_3x": "137849393/model_final_f97cb7.pkl",
    "faster_rcnn_R_50_DC5_3x": "137849425/model_final_68d202.pkl",
    "faster_rcnn_R_50_FPN_3x": "137849458/model_final_280758.pkl",
    "faster_rcnn_R_101_C4_3x": "138204752/model_final_298dad.pkl",
    "faster_rcnn_R_101_DC5_3x": "138204841/model_final_3e0943.pkl",
    "faster_rcnn_R_101_FPN_3x": "137851257/model_final_f6e8b1.pkl",
    "faster_rcnn_X_101_32x8d_FPN_3x": "139173657/model_final_68b088.pkl",
    "retinanet_R_50_FPN_1x": "190397773/model_final_bfca0b.pkl",
    "retinanet_R_50_FPN_3x": "190397829/model_final_5bd44e.pkl",
    "retinanet_R_101_FPN_3x": "190397697/model_final_971ab9.pkl",
}
URL = "https://dl.fbaipublicfiles.com/detectron2/COCO-Detection"
LICENCE = "Detectron2 model zoo, Copyright Facebook, Inc. and its affiliates, CC BY-SA 3.0"


def config_name(model_type: str, backbone: str, schedule: str) -> str:
    """The zoo's configuration file that a model starts from.

    `small_fpn` starts from its model type's R_50_FPN. Raises UserError listing the valid combinations.
    """
    if backbone == SMALL:
        return f"COCO-Detection/{model_type}_R_50_FPN_1x.yaml"
    if backbone not in BACKBONES[model_type, schedule]:
        raise UserError(
            f"no {model_type} with backbone {backbone} and zoo schedule {schedule}; valid: {', '.join(_valid())}"
        )
    return f"COCO-Detection/{model_type}_{backbone}_{schedule}.yaml"


def weights_url(model_type: str, backbone: str, schedule: str) -> str:
    """Where the zoo keeps the weights of a model trained on COCO."""
    name = f"{model_type}_{backbone}_{schedule}"
    return f"{URL}/{name}/{WEIGHTS[name]}"


def _valid() -> list[str]:
    small = [f"{model_type} {SMALL}" for model_type in MODEL_TYPES]
    return small + [f"{kind} {name} {times}" for (kind, times), names in BACKBONES.items() for name in names]
