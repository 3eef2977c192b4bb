"""`labs track`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_utils.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

TRACKERS = ("siamrpn", "csrt", "kcf")
PARTIAL = ".partial.mp4"  # what `VideoWriter` leaves when it is stopped


def add_commands(commands: Any) -> None:
    parser = commands.add_parser(
        "track",
        help="follow an object through a video",
        description="Follow the object in a box of the first frame through a video. Writes an H.264 video with the box "
        "drawn in and, beside it, a CSV file with box and score of every frame.",
    )
    parser.add_argument("video", type=Path, metavar="VIDEO", help="any file that FFmpeg reads")
    parser.add_argument(
        "--box", type=_box, required=True, metavar="X,Y,W,H", help="the object in the first frame, in pixels"
    )
    parser.add_argument("--tracker", choices=TRACKERS, help="default: siamrpn with --model, else csrt")
    parser.add_argument("--model", type=Path, metavar="DIR", help="unpacked model.tar.gz of a tracking job (siamrpn)")
    parser.add_argument("--out", type=Path, metavar="FILE.mp4", help="default: VIDEO's name with .tracked.mp4, here")
    parser.set_defaults(run=execute)


def _box(text: str) -> tuple[float, ...]:
    box = tuple(float(value) for value in text.split(","))
    if len(box) != 4:
        raise ValueError
    return box


_box.__name__ = "box (x,y,width,height)"  # argparse's error names it


def execute(options: argparse.Namespace) -> int:
    """Check everything, then track; 0 when all frames are written."""
    from lab_utils.tracking import Video, track

    tracker = _tracker(options.tracker or ("siamrpn" if options.model else "csrt"), options.model)
    out = options.out or Path(f"{options.video.stem}.tracked.mp4")
    video = Video.open(options.video)
    if out.resolve() == options.video.resolve():
        raise ConfigError(f"--out {out}: the video itself; choose another name")
    steps = track(video, options.box, tracker)
    _tell_of_earlier(out.with_suffix(PARTIAL))
    table = _write(out, steps, video)
    lost = int(table["xmin"].isna().sum())
    print(f"{out}: {len(table)} frames, lost in {lost}; boxes in {out.with_suffix('.csv')}")
    return 0


def _tell_of_earlier(partial: Path) -> None:
    """A tracker's state is in no file, so a run that was stopped is not resumed; the user hears what becomes of it."""
    from lab_utils.tracking import Video

    if not partial.is_file():
        return
    try:
        found = f"{sum(1 for _ in Video.open(partial))} frames"
    except DataError:
        found = "nothing that plays"
    print(f"{partial}: {found} of a run that was stopped; starting over from the first frame")


def _write(out: Path, steps: Iterator[Any], video: Any) -> pd.DataFrame:
    """Write video and boxes; the boxes of all frames. What a stop leaves is told."""
    import pandas as pd

    from lab_utils.atomic import open_atomic
    from lab_utils.tracking.draw import write_tracked

    rows: list[dict[str, Any]] = []
    try:
        write_tracked(out, _watched(steps, video.count or None), video.fps, rows)
    except BaseException:
        if rows:
            print(f"stopped after {len(rows)} frames; {out.with_suffix(PARTIAL)} plays, the next run starts over")
        raise
    table = pd.DataFrame(rows)
    with open_atomic(out.with_suffix(".csv"), newline="") as file:
        table.to_csv(file, index=False, float_format="%.6g", lineterminator="\n")
    return table


def _watched(steps: Iterator[Any], total: int | None) -> Iterator[Any]:
    """The steps, with a progress bar from the first on."""
    from tqdm.auto import tqdm

    with tqdm(steps, total=total, desc="tracking", unit="frame") as bar:
        yield from bar


def _tracker(name: str, model: Path | None) -> Any:
    if name != "siamrpn":
        from lab_utils.tracking.opencv import CorrelationTracker

        if model is not None:
            raise ConfigError(f"--model {model}: {name} has no weights; leave one of the two out")
        return CorrelationTracker(name.upper())
    if model is None:
        raise ConfigError("--tracker siamrpn needs --model DIR, the unpacked model.tar.gz of a tracking job")
    from lab_utils.tracking.siamrpn import SiamRPN

    return SiamRPN(model)
