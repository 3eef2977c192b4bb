"""`python -m lab_utils.synthetic`: render a data set, the contact sheet, or a clip."""

import argparse
import sys
from pathlib import Path

from lab_utils.errors import LabError

from . import generate
from .clips import sample_clip
from .contact import contact_sheet


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when it worked, 2 when the arguments or the folder are wrong."""
    args = _parser().parse_args(argv)
    try:
        if args.contact_sheet:
            contact_sheet(seed=args.seed).save(args.contact_sheet, optimize=True)
        if args.clip:
            print(sample_clip(args.clip, seed=args.seed).path)
        if args.root:
            print(generate(args.root, sequences=args.sequences, frames=args.frames, seed=args.seed))
    except (LabError, OSError, ValueError) as error:
        print(f"lab_utils.synthetic: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab_utils.synthetic", description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, help="folder to render a data set into")
    parser.add_argument("--sequences", type=int, default=70)
    parser.add_argument("--frames", type=int, default=6, help="frames a sequence")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contact-sheet", type=Path, metavar="FILE", help="picture of all classes and weathers")
    parser.add_argument("--clip", type=Path, metavar="FILE.mp4", help="150 frames of a hard clip, 1280x720")
    return parser


if __name__ == "__main__":
    sys.exit(main())
