"""Names that the programs know before TensorFlow is imported."""

SMALL = "ssd_mobilenet_v2_fpn_small"
STRIDES = [8, 16, 32]  # of the small family's levels
FAMILIES = (
    SMALL,
    "ssd_mobilenet_v2_fpnlite_320",
    "ssd_mobilenet_v2_fpnlite_640",
    "ssd_resnet50_fpn_640",
    "efficientdet_d0",
    "efficientdet_d1",
    "faster_rcnn_resnet50_640",
    "faster_rcnn_resnet101_640",
)
PIPELINE, LABELS, ONNX = "pipeline.config", "label_map.pbtxt", "model.onnx"
CHECKPOINT = "ckpt-0.index"  # below checkpoint/, in the zoo's archives and in ours
