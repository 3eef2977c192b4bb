import pandas as pd

from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.ghosts import ghost_table
from lab_utils.metrics import PREDICTION_COLUMNS

KNOWN = ("stop", "signalAhead")


def strangers(*boxes):
    images = pd.DataFrame({"image_id": [0, 1], "file_name": ["a.png", "b.png"], "width": 100, "height": 80})
    table = pd.DataFrame(boxes, columns=["image_id", "class_id", *XYWH])
    return DetectionDataset.from_frames(images, table, ["dip", "merge"])


def found(*rows):
    return pd.DataFrame(rows, columns=PREDICTION_COLUMNS)


def test_a_sign_is_taken_for_what_overlaps_it_with_the_best_score():
    signs = strangers((0, 0, 10, 10, 20, 20), (1, 0, 50, 50, 10, 10), (1, 1, 0, 0, 10, 10))
    predictions = found(
        (0, 0, 0.6, 10, 10, 20, 20),
        (0, 1, 0.9, 12, 12, 20, 20),  # better
        (0, 0, 0.99, 60, 10, 20, 20),  # elsewhere
        (1, 0, 0.4, 50, 50, 10, 10),  # not sure enough
    )
    table = ghost_table(signs, predictions, KNOWN)
    assert table.loc["dip"].to_dict() == {"boxes": 2, "stop": 0, "signalAhead": 1, "nothing": 1}
    assert table.loc["merge"].to_dict() == {"boxes": 1, "stop": 0, "signalAhead": 0, "nothing": 1}
    assert ghost_table(signs, predictions, KNOWN, minimum_score=0.3).loc["dip", "stop"] == 1


def test_without_strangers_the_table_is_empty():
    table = ghost_table(strangers(), found(), KNOWN)
    assert (list(table), len(table)) == (["boxes", "stop", "signalAhead", "nothing"], 0)
