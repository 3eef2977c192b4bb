"""Where a network's first weights come from: the zoo, a URL, a file or an earlier job's model.tar.gz."""

import argparse
import json
import zipfile
from pathlib import Path

from detection.weights import cache_dir, download, unpack
from gluoncv.model_zoo.model_store import get_model_file
from sagemaker_contract import UserError

from .anchors import Sides
from .names import BEST, CONFIG, SMALL


def resolve(arguments: argparse.Namespace, name: str = BEST) -> Path | None:
    """The .params file that `--weights` means, downloaded or unpacked if need be; None to train from scratch.

    In the archive of an earlier job it has the `name`.
    """
    wanted = arguments.weights or ("model" if arguments.model_channel else "")
    if wanted == "model":
        if not arguments.model_channel:
            raise UserError("--weights model: the job has no channel 'model'")
        return unpack(Path(arguments.model_channel), name)
    if wanted == "zoo":
        return _of_zoo(arguments.network)
    if wanted.startswith(("http://", "https://")):
        return _unzipped(download(wanted, cache_dir(), arguments.weights_sha256))
    if wanted and not Path(wanted).is_file():
        raise UserError(f"--weights {wanted}: no such file")
    return _unzipped(Path(wanted)) if wanted else None


def earlier_sides(path: Path | None, arguments: argparse.Namespace) -> Sides | None:
    """The anchors that the weights of an earlier job belong to; None for other weights.

    Raises UserError when that job trained another network.
    """
    if path is None or not (path.parent / CONFIG).is_file():
        return None
    earlier = json.loads((path.parent / CONFIG).read_text(encoding="utf-8"))
    if earlier["network"] != arguments.network:
        raise UserError(f"{path}: of {earlier['network']}, the job trains --network {arguments.network}")
    return earlier["anchors"] if arguments.network == SMALL else None


def _of_zoo(network: str) -> Path:
    """The file that GluonCV publishes for a network; it compares the SHA-1 that it knows."""
    try:
        return Path(get_model_file(network, root=str(cache_dir())))
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile) as error:  # of the server, the name, the content
        raise UserError(f"--weights zoo: nothing for --network {network} ({error})") from error


def _unzipped(path: Path) -> Path:
    """The zoo packs each .params file into a zip."""
    if path.suffix != ".zip":
        return path
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".params")]
        if len(names) != 1:
            raise UserError(f"{path}: expected one .params file, found {names}")
        target = path.with_suffix(".params")
        target.write_bytes(archive.read(names[0]))
    return target
