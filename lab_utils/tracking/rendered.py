"""The clips of the tracking lab: rendered on first use, put into S3, and a trained tracker fetched from there."""

import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from lab_utils import channels, paths, s3
from lab_utils.errors import ConfigError
from lab_utils.profiles import profile as profile_of
from lab_utils.session import LabSession
from lab_utils.tracking.clips import Clip
from lab_utils.tracking.stills import still_frames


class _Set(NamedTuple):
    """How many clips of how many frames; `hard` ones hide the target and lose it from view."""

    clips: int
    frames: int
    hard: bool


SETS = {
    "smoke": {
        "training": _Set(4, 24, False),
        "scenes": _Set(2, 24, True),
        "validation": _Set(2, 24, False),
        "test": _Set(1, 36, True),
    },
    "laptop": {
        "training": _Set(48, 60, False),
        "scenes": _Set(80, 24, True),
        "validation": _Set(6, 60, True),
        "test": _Set(10, 90, True),
    },
    "full": {
        "training": _Set(400, 120, False),
        "scenes": _Set(400, 24, True),
        "validation": _Set(20, 120, True),
        "test": _Set(60, 150, True),
    },
}
SIZE = (480, 300)
_SEEDS = {"training": 0, "validation": 1, "test": 2, "scenes": 3}  # sets that share nothing
_STILLS = {"training": 4, "scenes": 8, "validation": 10}  # frames of each clip that the detector gets


def clip_set(split: str, *, profile: str = "laptop", seed: int = 0) -> list[Clip]:
    """The `training`, `validation`, `test` clips or the `scenes` of a profile, 480x300 pixels, rendered on first use.

    `scenes` are short and many: a detector learns more from another place than from the next frame. Some have a mast
    before the signal, lest it be taken for one.

    Raises:
        ConfigError: unknown profile or split.
    """
    from lab_utils.synthetic import generate_clips

    profile_of(profile)
    if split not in _SEEDS:
        raise ConfigError(f"unknown split {split!r}: expected one of {', '.join(_SEEDS)}")
    size = SETS[profile][split]
    root = paths.home() / "data" / f"clips-{profile}-{seed}" / split
    own = len(_SEEDS) * seed + _SEEDS[split]
    return generate_clips(root, clips=size.clips, frames=size.frames, size=SIZE, seed=own, hard=size.hard)


def upload(lab: LabSession, split: str, clips: list[Clip], *, profile: str, seed: int) -> str:
    """Put clips into S3, what is there already left alone; the prefix, a channel for a training job."""
    uri = lab.uri("clips", f"{profile}-{seed}", split)
    files = {file.name: file for clip in clips for file in (clip.path, clip.path.with_suffix(".csv"))}
    s3.upload(lab, files, uri, what=split)
    return uri


def upload_stills(lab: LabSession, *, profile: str, seed: int) -> str:
    """Frames of the training clips, the scenes and the validation clips in S3, channels for training a detector; the
    name that `lab_utils.channels` knows them by."""
    from lab_utils.synthetic import CHASSIS

    name = f"stills-{profile}-{seed}"
    folder = paths.home() / "data" / name
    parts = {"training": ("training", "scenes"), "validation": ("validation",)}
    splits = {}
    for split, sources in parts.items():
        chosen = {source: clip_set(source, profile=profile, seed=seed) for source in sources}
        frames = [(clip, _STILLS[source]) for source, clips in chosen.items() for clip in clips]
        splits[split] = still_frames(frames, folder / split, CHASSIS, name=name)
    channels.upload(lab, splits, name)
    return name


def fetch_video(lab: LabSession, video: str) -> Path:
    """A video as a local file: the sample for an empty name, a path as it is, an `s3://` object downloaded."""
    if not video:
        return paths.project() / "sample_media" / "approach.mp4"
    if not video.startswith("s3://"):
        return Path(video).expanduser()
    return _object(lab, video)


def fetch_model(lab: LabSession, model_data: str) -> Path:
    """The unpacked folder of a training job's `model.tar.gz`, downloaded on first use."""
    archive = _object(lab, model_data)
    folder = archive.with_name("model")
    if not folder.is_dir():
        temporary = Path(tempfile.mkdtemp(prefix=".model.", dir=archive.parent))
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return folder


def _object(lab: LabSession, uri: str) -> Path:
    """One object, below the folder of downloads under its own bucket and key."""
    bucket, key = s3.parse(uri)
    target = paths.home() / "downloads" / lab.backend / bucket / key
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        lab.client("s3").download_file(bucket, key, str(temporary))
        temporary.replace(target)
    return target
