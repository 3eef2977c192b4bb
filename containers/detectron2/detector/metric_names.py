"""The numbers in the training program's log; `metrics.json` holds their regexes."""

PHASES = {
    "training": ("loss", "loss_cls", "loss_box_reg", "loss_rpn_cls", "loss_rpn_loc", "lr"),
    "validation": ("AP", "AP50", "AP75", "loss", "loss_cls", "loss_box_reg", "loss_rpn_cls", "loss_rpn_loc"),
    "best": ("AP", "AP50"),
    "cost": ("seconds", "cpu_seconds", "peak_rss_mb", "images_per_second"),
}
