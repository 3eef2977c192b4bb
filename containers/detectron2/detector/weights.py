"""Where a model's first weights come from: the zoo, a URL, a file or an earlier job's model.tar.gz."""

import argparse
from pathlib import Path

from detection.weights import cache_dir, download, unpack
from sagemaker_contract import UserError

from . import zoo

BEST = "model_best.pth"


def resolve(arguments: argparse.Namespace) -> Path | None:
    """The file that `--weights` means, downloaded or unpacked if need be; None to train from scratch."""
    wanted = arguments.weights
    if not wanted and arguments.model_channel:
        wanted = "model"
    if wanted == "model":
        if not arguments.model_channel:
            raise UserError("--weights model: the job has no channel 'model'")
        return unpack(Path(arguments.model_channel), BEST)
    if wanted == "zoo":
        url = zoo.weights_url(arguments.model_type, arguments.backbone, arguments.zoo_schedule)
        print(f"weights: {url}; {zoo.LICENCE}", flush=True)
        return download(url, cache_dir(), arguments.weights_sha256)
    if wanted.startswith(("http://", "https://")):
        return download(wanted, cache_dir(), arguments.weights_sha256)
    if wanted and not Path(wanted).is_file():
        raise UserError(f"--weights {wanted}: no such file")
    return Path(wanted) if wanted else None
