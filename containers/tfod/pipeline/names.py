"""Names that the programs know before TensorFlow is imported."""

SMALL = "ssd_mobilenet_v2_fpn_small"
STRIDES = [8, 16, 32]  # of the small family's levels
PIPELINE, LABELS, ONNX = "pipeline.config", "label_map.pbtxt", "model.onnx"
CHECKPOINT = "ckpt-0.index"  # below checkpoint/, in the zoo's archives and in ours
