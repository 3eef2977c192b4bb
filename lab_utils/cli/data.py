"""`labs data`: check, convert and split data sets; write what TFOD trains on, and lint its configuration."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_utils.cli import data_commands as run

_SOURCE = "data set: FORMAT:PATH, such as voc:photos, csv:boxes.csv, via:via.json, lisa:PATH; or a rendered one's name"


def add_commands(commands: Any) -> None:
    parser = commands.add_parser("data", help="check, convert and split data sets", description=__doc__)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for add in (_check, _convert, _csv, _labelmap, _split, _tfrecord, _config, _lint):
        add(actions)


def _action(actions: Any, command: Callable[[argparse.Namespace], int], summary: str, more: str = "") -> Any:
    name = command.__name__
    parser = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {more}".strip())
    parser.set_defaults(run=command)
    return parser


def _check(actions: Any) -> None:
    more = "Exits with 1 if there are errors."
    parser = _action(actions, run.check, "find every problem of a data set", more)
    parser.add_argument("source", metavar="SPEC", help=_SOURCE)
    parser.add_argument("--no-pixels", action="store_true", help="check the annotations alone, not the image files")


def _convert(actions: Any) -> None:
    more = "The image files are copied, too, so that DST can be read by itself."
    parser = _action(actions, run.convert, "write a data set in another format", more)
    parser.add_argument("source", metavar="SRC", help=_SOURCE)
    parser.add_argument(
        "target", metavar="DST", help="FORMAT:PATH: coco, csv, manifest, recordio, tfrecord, via or voc"
    )
    parser.add_argument("--no-images", action="store_true", help="leave the image files where they are")


def _csv(actions: Any) -> None:
    more = "Columns: filename,width,height,class,xmin,ymin,xmax,ymax. VIA does not tell sizes: its images are asked."
    parser = _action(actions, run.csv, "make a CSV file of labelImg's XML files or of VIA's JSON", more)
    parser.add_argument("source", metavar="SRC", help="folder of XML files, VIA's .json, or FORMAT:PATH")
    parser.add_argument("target", metavar="OUT.csv", type=Path)


def _labelmap(actions: Any) -> None:
    parser = _action(actions, run.labelmap, "write TFOD's label map", "Ids count from 1, in the order of the classes.")
    parser.add_argument("source", metavar="SRC", help="a .txt with a class a line, a .csv, or FORMAT:PATH")
    parser.add_argument("target", metavar="OUT.pbtxt", type=Path)


def _split(actions: Any) -> None:
    more = "A split cuts no group, and so no image: training.csv, validation.csv and test.csv."
    parser = _action(actions, run.split, "split a data set into CSV files", more)
    _add_split(parser)


def _tfrecord(actions: Any) -> None:
    more = (
        "FOLDER gets training.tfrecord, validation.tfrecord, test.tfrecord and label_map.pbtxt. Boxes and images that "
        "cannot be used are left out and told."
    )
    parser = _action(actions, run.tfrecord, "write TFRecords for TFOD, split by group", more)
    _add_split(parser)
    parser.add_argument("--shards", type=int, default=1, metavar="N", help="files a split (default: %(default)s)")
    parser.add_argument("--classes", metavar="NAME,...", help="only these, in this order; other images are negatives")


def _add_split(parser: Any) -> None:
    parser.add_argument("source", metavar="SRC", help=_SOURCE)
    parser.add_argument("target", metavar="FOLDER", type=Path)
    shares = (
        "shares of training, validation and test, or of the first two (default: the set's own split, or 0.7,0.15,0.15)"
    )
    parser.add_argument("--fractions", type=run.fractions, metavar="F,F[,F]", help=shares)
    group = "regular expression whose (parenthesis) in an image's name is its group, such as '(clip[0-9]+)_'"
    parser.add_argument("--group", metavar="REGEX", help=group)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, another split")


def _config(actions: Any) -> None:
    more = "BASE is a family of the zoo or the path of a pipeline.config, whose model is kept."
    parser = _action(actions, run.config, "write a pipeline.config for what `labs data tfrecord` wrote", more)
    parser.add_argument("base", metavar="BASE", help="such as ssd_mobilenet_v2_fpnlite_320; a wrong one lists them all")
    parser.add_argument("target", metavar="OUT", type=Path)
    parser.add_argument("--records", type=Path, required=True, metavar="FOLDER", help="of TFRecords and label map")
    parser.add_argument("--at", metavar="PATH", help="where FOLDER is when training: /opt/ml/input/data/training")
    parser.add_argument("--steps", type=int, required=True, metavar="N", help="training steps; the schedule follows")
    parser.add_argument("--batch-size", type=int, default=8, metavar="N", help="images a step (default: %(default)s)")
    parser.add_argument("--learning-rate", type=float, metavar="F", help="default: the zoo's, for this batch size")
    parser.add_argument("--checkpoint", default="", metavar="PATH", help="detector to fine-tune, as .../ckpt-0")


def _lint(actions: Any) -> None:
    more = "Exits with 1 if there are errors."
    parser = _action(actions, run.lint, "find what is wrong with a pipeline.config before it trains", more)
    parser.add_argument("config", metavar="CONFIG", type=Path)
    parser.add_argument("--steps", type=int, metavar="N", help="where the command line sets them (default: num_steps)")
    parser.add_argument("--device", choices=("cpu", "gpu", "tpu"), default="gpu", help="default: %(default)s")
    there = "a path of the training machine and the folder here, such as /opt/ml/input/data/training=records"
    parser.add_argument("--path", type=run.mapped, action="append", default=[], metavar="THERE=HERE", help=there)
    parser.add_argument("--extractor", action="append", default=[], metavar="NAME", help="one that TFOD does not have")
