"""What MXNet and GluonCV make of a .rec: the objects of each record as each loader gives them, as JSON.

    PYTHON check_with_mxnet.py FILE.rec IMAGES

Also packs FILE.lst with im2rec and tells whether the result is the same.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import mxnet
import numpy as np
from gluoncv.data import RecordFileDetection
from make_golden import im2rec

SHAPE, LABEL = (3, 32, 32), 64


def iterator(path):
    """ImageDetRecordIter: each label is the shape, the number of values, and the values."""
    batches = mxnet.io.ImageDetRecordIter(
        path_imgrec=str(path), data_shape=SHAPE, batch_size=1, label_pad_width=LABEL, shuffle=False
    )
    for batch in batches:
        values = batch.label[0].asnumpy()[0]
        label = values[4 : 4 + int(values[3])]
        yield label[int(label[0]) :].reshape(-1, int(label[1])).tolist()


def gluoncv(path):
    """RecordFileDetection: each row is the corners in pixels, and the class."""
    data = RecordFileDetection(str(path))
    return [np.asarray(data[i][1]).tolist() for i in range(len(data))]


def same_as_im2rec(path, images):
    with TemporaryDirectory() as folder:
        listed = Path(folder, path.with_suffix(".lst").name)
        listed.write_bytes(path.with_suffix(".lst").read_bytes())
        im2rec(listed, images)
        made = [listed.with_suffix(suffix).read_bytes() for suffix in (".rec", ".idx")]
    return made == [path.with_suffix(suffix).read_bytes() for suffix in (".rec", ".idx")]


if __name__ == "__main__":
    rec = Path(sys.argv[1])
    print(json.dumps([list(iterator(rec)), gluoncv(rec), same_as_im2rec(rec, Path(sys.argv[2]))]))
