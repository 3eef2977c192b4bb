"""Names and sizes that the programs know before MXNet is imported."""

SMALL = "small"
STRIDES = [8, 16, 32]  # of the small network's levels
BEST, CONFIG = "model_best.params", "model.json"
SYMBOL, PARAMS, ONNX = "model-symbol.json", "model-0000.params", "model.onnx"
NETWORKS = (
    SMALL,
    "ssd_300_vgg16_atrous_voc",
    "ssd_300_vgg16_atrous_coco",
    "ssd_300_vgg16_atrous_custom",
    "ssd_512_vgg16_atrous_voc",
    "ssd_512_vgg16_atrous_coco",
    "ssd_512_vgg16_atrous_custom",
    "ssd_512_resnet18_v1_voc",
    "ssd_512_resnet18_v1_coco",
    "ssd_512_resnet50_v1_voc",
    "ssd_512_resnet50_v1_coco",
    "ssd_512_resnet50_v1_custom",
    "ssd_512_resnet101_v2_voc",
    "ssd_512_resnet152_v2_voc",
    "ssd_512_mobilenet1.0_voc",
    "ssd_512_mobilenet1.0_coco",
    "ssd_512_mobilenet1.0_custom",
    "ssd_300_mobilenet1.0_lite_coco",
    "ssd_300_mobilenet0.25_voc",
    "ssd_300_mobilenet0.25_coco",
    "ssd_300_mobilenet0.25_custom",
    "ssd_300_resnet34_v1b_voc",
    "ssd_300_resnet34_v1b_coco",
    "ssd_300_resnet34_v1b_custom",
)
