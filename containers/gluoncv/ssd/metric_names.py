"""The numbers in the training program's log; `metrics.json` holds their regexes."""

PHASES = {
    "training": ("loss", "loss_cls", "loss_box", "lr", "images_per_second"),
    "validation": ("voc07", "voc12", "AP", "AP50", "AP75", "loss", "loss_cls", "loss_box"),
    "best": ("AP", "AP50"),
    "cost": ("seconds", "cpu_seconds", "peak_rss_mb", "images_per_second"),
}
