"""COCO's val2017: 5,000 photographs and their annotations, downloaded once (1.07 GB) and unpacked.

Annotations are CC BY 4.0; each image is its photographer's, under the licence that the annotation file names for it.
See https://cocodataset.org/#termsofuse.
"""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from lab_utils.atomic import open_atomic
from lab_utils.dataset import DetectionDataset
from lab_utils.downloads import Remote, fetch
from lab_utils.errors import DataError
from lab_utils.formats import coco

_SITE = "http://images.cocodataset.org"
IMAGES = Remote(
    f"{_SITE}/zips/val2017.zip",
    815_585_330,
    "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
)
ANNOTATIONS = Remote(
    f"{_SITE}/annotations/annotations_trainval2017.zip",
    252_907_541,
    "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
)
_INSTANCES = "annotations/instances_val2017.json"


def val2017(
    root: str | Path, *, images: Remote = IMAGES, annotations: Remote = ANNOTATIONS, progress: bool = True
) -> DetectionDataset:
    """Read val2017 below `root`, after downloading and unpacking what is not there.

    The archives stay beside the data; they may be deleted.

    Args:
        root: gets `val2017/*.jpg` and `annotations/instances_val2017.json`.
        images, annotations: the archives.

    Raises:
        DataError: as `downloads.fetch`, or an archive lacks what it should hold.
    """
    root = Path(root)
    if not (root / _INSTANCES).is_file():
        pictures = fetch(images, root / "val2017.zip", progress=progress)
        described = fetch(annotations, root / "annotations_trainval2017.zip", progress=progress)
        _unpack(pictures, root, lambda name: name.startswith("val2017/") and name.endswith(".jpg"))
        _unpack(described, root, lambda name: name == _INSTANCES)  # last: it tells that all is there
    return coco.read(root / _INSTANCES)


def _unpack(archive: Path, root: Path, wanted: Callable[[str], bool]) -> None:
    """Write the wanted members, each whole or not at all; one that is there in full length is kept."""
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if wanted(member.filename)]
            for member in members:
                target = root / member.filename
                if ".." in target.parts:
                    raise DataError(f"{archive}: {member.filename!r} leads out of the archive's folder")
                if not target.is_file() or target.stat().st_size != member.file_size:
                    with content.open(member) as source, open_atomic(target, "wb") as file:
                        shutil.copyfileobj(source, file)
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive}: not a readable archive: {error}") from None
    if not members:
        raise DataError(f"{archive}: holds nothing of val2017")
