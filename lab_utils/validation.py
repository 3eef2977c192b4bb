"""Every problem of a data set in one pass and one report."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from lab_utils import checks
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError

_BAD_BOX = {"degenerate-box", "box-outside-image", "orphan-box"}
_BAD_IMAGE = {"missing-image", "unreadable-image"}


@dataclass(frozen=True)
class Report:
    """What `validate` found.

    Attributes:
        frame: one row a problem: `severity` ("error", "warning"), `code`, `file` (annotation file, where known, else
            image file), `row` (annotation within that file, from 1; <NA> for a whole image), `image_id`, `message`,
            `box` (row of `dataset.boxes`).
        checked: what was looked at, in words.
    """

    frame: pd.DataFrame
    checked: str

    @property
    def errors(self) -> pd.DataFrame:
        """The problems that make a result wrong."""
        return self.frame[self.frame["severity"] == "error"]

    @property
    def warnings(self) -> pd.DataFrame:
        """The problems worth knowing of."""
        return self.frame[self.frame["severity"] == "warning"]

    def __str__(self) -> str:
        summary = f"{self.checked}: {len(self.errors)} errors, {len(self.warnings)} warnings"
        table = self.frame[["severity", "code", "file", "row", "message"]]
        return summary if table.empty else f"{summary}\n{table.to_string(index=False, na_rep='-', max_rows=60)}"


def validate(dataset: DetectionDataset, *, pixels: bool = True, progress: bool = True) -> Report:
    """Check a data set.

    Errors: a box without area, or wholly outside its image; a box of no image; a class id without a name; class names
    that repeat; image ids or file names that repeat; a file name that leads out of `root`; a missing, unreadable or
    truncated image file; a size that is not the file's; a group, or the same bytes, in two official splits.
    Warnings: a box more than 1 px over the image's edge; the same box twice; a class without boxes; the same bytes
    twice; an EXIF orientation, which is not applied (see `lab_utils.pixels`).

    Args:
        pixels: read every image file; False checks the annotations alone.
        progress: show a bar while reading.
    """
    problems = [*checks.images(dataset), *checks.boxes(dataset), *checks.classes(dataset)]
    if pixels:
        problems += checks.pixels(dataset, progress)
    frame = pd.DataFrame([vars(problem) for problem in problems], columns=checks.COLUMNS)
    frame = frame.astype({"row": "Int64", "image_id": "Int64", "box": "Int64"})
    what = f"{dataset.name}: {len(dataset)} images, {len(dataset.boxes)} boxes"
    return Report(frame.sort_values("severity", kind="stable", ignore_index=True), what)


def drop_invalid(dataset: DetectionDataset, report: Report) -> DetectionDataset:
    """The data set without boxes that hold nothing and images that cannot be read; prints what was dropped.

    Raises:
        DataError: no image would be left, as when `root` is wrong.
    """
    frame = report.frame
    boxes = frame.loc[frame["code"].isin(_BAD_BOX), "box"]
    images = frame.loc[frame["code"].isin(_BAD_IMAGE), "image_id"]
    kept = replace(dataset, boxes=dataset.boxes[~dataset.boxes.index.isin(boxes)])
    kept = kept.where(~kept.images["image_id"].isin(images))
    if len(dataset) and not len(kept):
        raise DataError(f"{dataset.root}: none of the {len(dataset)} images of {dataset.name} can be read")
    for code, found in frame[frame["code"].isin(_BAD_BOX | _BAD_IMAGE)].groupby("code"):
        print(f"dropped {len(found)} × {code}: {', '.join(found['file'].unique()[:3])}{' ...' * (len(found) > 3)}")
    return kept
