"""What training and serving a detector share whatever its framework: manifests, pictures, augmentation, anchors,
evaluation, history, first weights and reports. Needs NumPy and Pillow, for COCO's AP pycocotools."""
