"""From any data set to a file or folder that a specification, `FORMAT:PATH`, names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path, PurePosixPath

from lab_utils import formats
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError

_BESIDE = ("coco", "csv", "manifest", "via")  # annotations in one file, images in files beside it
_WITHIN = ("recordio", "tfrecord", "voc")  # images in the format's own place
ATTRIBUTE = "signals"  # label attribute of manifests


def convert(dataset: DetectionDataset, target: str, *, images: bool = True) -> str:
    """Write a data set as `target`, `FORMAT:PATH`; returns what was written, in words.

    Args:
        images: copy the image files to `images` beside the annotations (VOC: to `JPEGImages`), so that what was written
            can be read by itself. False leaves them where they are. RecordIO and TFRecords hold them in any case.

    Raises:
        ConfigError: no such format, or one that is only read.
        DataError: the data set cannot be written so; the message names the image or box.
    """
    name, text = formats.parse(target)
    if name not in (*_BESIDE, *_WITHIN):
        raise ConfigError(
            f"{target!r}: {name} is not written; expected one of {', '.join(sorted((*_BESIDE, *_WITHIN)))}"
        )
    path = Path(text).expanduser()
    module = import_module(f"lab_utils.formats.{name}")
    if name == "voc":
        return str(module.write(dataset, path, images=images))
    if name in _WITHIN:
        return str(module.write(dataset, path))
    folder = path.parent / "images" if images else dataset.root
    if images:
        _copy_images(dataset, folder)
    if name == "manifest":
        return str(module.write(dataset, path, attribute=ATTRIBUTE, source_prefix=str(folder.resolve())))
    return str(module.write(dataset, path))


def _copy_images(dataset: DetectionDataset, folder: Path) -> None:
    from tqdm.auto import tqdm

    for file in tqdm(dataset.images["file_name"], desc="copy images", unit="image", disable=None):
        if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
            raise DataError(f"{file}: leads out of {dataset.root}; make the path relative, or leave the images there")
        formats.copy_image(dataset.root / file, folder / file)
