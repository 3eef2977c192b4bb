"""The numbers in the log of training a tracker; `metrics.json` holds their regexes beside the detector's."""

PHASES = {
    "training": ("loss", "loss_cls", "loss_box", "lr", "images_per_second"),
    "validation": ("mean_iou", "auc"),
    "best": ("mean_iou", "auc"),
    "cost": ("seconds", "cpu_seconds", "peak_rss_mb", "images_per_second"),
}
