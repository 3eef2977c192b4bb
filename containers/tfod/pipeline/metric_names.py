"""The numbers in the training program's log; `metrics.json` holds their regexes."""

PHASES = {
    "training": ("loss", "loss_cls", "loss_box", "lr", "images_per_second"),
    "validation": ("AP", "AP50", "AP75", "loss", "loss_cls", "loss_box"),
    "export": ("AP50_float", "AP50_fp16", "AP50_int8"),
    "best": ("AP", "AP50"),
    "cost": ("seconds", "cpu_seconds", "peak_rss_mb", "images_per_second"),
}
