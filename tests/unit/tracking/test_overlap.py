"""The field's curves, by hand and against GluonCV's."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT

from lab_utils import boxes as pairs
from lab_utils.tracking import overlap
from local_sagemaker import images

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "ope.json").read_text())
NAN = (np.nan,) * 4


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_the_curves_are_gluoncvs(case: dict[str, list]) -> None:
    curves = [
        of(case["truth"], case["boxes"])
        for of in (overlap.success_curve, overlap.precision_curve, overlap.normalised_precision_curve)
    ]
    for curve, expected in zip(curves, case["curves"], strict=True):
        np.testing.assert_allclose(curve, expected, rtol=0, atol=1e-12)


@pytest.mark.environment
def test_the_recorded_curves_are_what_gluoncv_computes(tmp_path: Path) -> None:
    python = images.build(PROJECT / "containers" / "images.toml", "gluoncv")
    done = subprocess.run([python, HERE / "make_golden.py", tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for made, recorded in zip(json.loads((tmp_path / "ope.json").read_text()), GOLDEN, strict=True):
        np.testing.assert_allclose(made["truth"], recorded["truth"], atol=1e-3)
        np.testing.assert_allclose(np.hstack(made["curves"]), np.hstack(recorded["curves"]), atol=1e-9)


def test_overlaps_are_those_of_all_pairs() -> None:
    for case in GOLDEN[:2]:
        a, b = (pairs.xywh_to_xyxy(case[key]) for key in ("truth", "boxes"))
        np.testing.assert_allclose(overlap.overlaps(case["truth"], case["boxes"]), np.diag(pairs.iou(a, b)))


def test_by_hand() -> None:
    truth = [(0, 0, 10, 20), (0, 0, 10, 20), (0, 0, 10, 20), (0, 0, 10, 20)]
    boxes = [(0, 0, 10, 20), (5, 0, 10, 20), (30, 0, 10, 20), (0, 25, 10, 20)]
    np.testing.assert_allclose(overlap.overlaps(truth, boxes), [1, 1 / 3, 0, 0])
    np.testing.assert_allclose(overlap.centre_errors(truth, boxes), [0, 5, 30, 25])
    np.testing.assert_allclose(overlap.normalised_errors(truth, boxes), [0, 0.5, 3, 1.25])
    success = overlap.success_curve(truth, boxes)
    assert success[:8].tolist() == [0.5] * 7 + [0.25]  # 1/3 is above 0.30, not above 0.35
    assert success[-1] == 0  # nothing is above 1
    precision = overlap.precision_curve(truth, boxes)
    assert precision[[4, 5, 20, 25, 30]].tolist() == [0.25, 0.5, 0.5, 0.75, 1.0]


def test_what_is_not_seen_does_not_count_and_what_is_lost_fails() -> None:
    truth = [(0, 0, 10, 10), NAN, (0, 0, 10, 10), (0, 0, 10, 10)]
    boxes = [(0, 0, 10, 10), (90, 0, 10, 10), NAN, (0, 0, 10, 10)]
    assert np.isnan(overlap.overlaps(truth, boxes)).tolist() == [False, True, False, False]
    assert overlap.centre_errors(truth, boxes)[[0, 2, 3]].tolist() == [0, np.inf, 0]
    assert overlap.success_curve(truth, boxes)[10] == pytest.approx(2 / 3)
    assert overlap.precision_curve(truth, boxes)[-1] == pytest.approx(2 / 3)
    assert overlap.normalised_precision_curve(truth, boxes)[0] == pytest.approx(2 / 3)


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match=r"shape \(N, 4\)"):
        overlap.overlaps([1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match="seen in no frame"):
        overlap.success_curve([NAN], [(0, 0, 1, 1)])
