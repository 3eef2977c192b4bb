"""Loss and re-detection on clips whose every mistake is scripted."""

import cv2
import numpy as np
import pandas as pd
import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking import Box, Observation
from lab_utils.tracking.detection import DetectorTracker, by_endpoint, nearest, overlapping, remembered
from lab_utils.tracking.fusion import FusionTracker
from lab_utils.tracking.motion import CameraMotion
from lab_utils.tracking.neighbours import Neighbours
from lab_utils.tracking.ope import Run
from lab_utils.tracking.thresholds import Thresholds, calibrate
from lab_utils.tracking.video import Image

from . import videos

FRAME = videos.landscape(160, 120)
BOX: Box = (20.0, 40.0, 24.0, 24.0)
FAR: Box = (110.0, 80.0, 24.0, 24.0)
COLUMNS = ["class_id", "score", "xmin", "ymin", "width", "height"]


def found(*rows: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype({"class_id": "int64"})


class Script:
    """A tracker that says what it is told to; starting it again makes it right from then on."""

    def __init__(self, *observations: Observation) -> None:
        self.said, self.starts = list(observations), []

    def start(self, frame: Image, box: Box) -> None:
        self.starts.append(box)
        if len(self.starts) > 1:
            self.said = [Observation(box, 0.9)] * len(self.said)

    def update(self, frame: Image) -> Observation:
        return self.said.pop(0)


class Looks:
    """A detector that gives one table a call, the last one for ever."""

    def __init__(self, *tables: pd.DataFrame) -> None:
        self.tables, self.calls = list(tables), 0

    def __call__(self, frame: Image) -> pd.DataFrame:
        self.calls += 1
        return self.tables.pop(0) if len(self.tables) > 1 else self.tables[0]


SEEN = found((2, 0.8, *BOX))
NOTHING = found()
LIMITS = Thresholds(lost=0.4, found=0.7)


def run(tracker: FusionTracker, frames: int) -> list[Observation]:
    tracker.start(FRAME, BOX)
    return [tracker.update(FRAME) for _ in range(frames)]


def at(score: float, box: Box = BOX) -> Observation:
    return Observation(box, score)


def test_in_doubt_the_detector_looks_at_once() -> None:
    script, detect = Script(at(0.9), at(0.3), at(0.5), at(0.9)), Looks(SEEN, NOTHING, SEEN)
    said = run(FusionTracker(script, detect, LIMITS), 4)
    assert [observation.box for observation in said] == [BOX, None, BOX, BOX]
    assert script.starts == [BOX]
    assert detect.calls == 3


def test_lost_then_seen_by_the_detector() -> None:
    script = Script(*[at(0.9), at(0.3), at(0.2), at(0.1), at(0.1), at(0.1)])
    detect = Looks(SEEN, NOTHING, NOTHING, found((2, 0.77, 26, 42, 24, 24)))
    said = run(FusionTracker(script, detect, LIMITS, check_every=0), 6)
    assert [observation.box is None for observation in said] == [False, True, True, False, False, False]
    assert said[3] == Observation((26, 42, 24, 24), 0.77)
    assert script.starts == [BOX, (26, 42, 24, 24)]


def test_a_box_of_which_the_detector_is_less_sure_than_usual_is_not_taken() -> None:
    script = Script(*[at(0.1)] * 4)
    said = run(FusionTracker(script, Looks(SEEN, found((2, 0.4, *BOX))), LIMITS), 4)
    assert all(observation.box is None for observation in said)


def test_a_detector_that_first_sees_the_object_later_is_asked_from_then_on() -> None:
    script = Script(*[at(0.9)] * 6, *[at(0.1)] * 2)
    detect = Looks(NOTHING, SEEN)
    said = run(FusionTracker(script, detect, LIMITS), 8)
    assert [observation.box for observation in said] == [BOX] * 8
    assert script.starts == [BOX, BOX]  # at the first weak frame, the seventh


def test_a_box_of_another_shape_is_not_taken() -> None:
    slim = found((2, 0.9, 26, 34, 12, 40))
    said = run(FusionTracker(Script(*[at(0.1)] * 4), Looks(SEEN, slim), LIMITS), 4)
    assert all(observation.box is None for observation in said)


def test_a_box_that_swells_is_not_believed() -> None:
    script = Script(at(0.9), at(0.95, (10, 30, 44, 44)), at(0.9))
    said = run(FusionTracker(script, Looks(SEEN), LIMITS), 3)
    assert [observation.box for observation in said] == [BOX] * 3
    assert script.starts == [BOX, BOX]


def test_between_the_thresholds_it_stays_what_it_was() -> None:
    """Hysteresis where the detector cannot judge: 0.5 is enough to go on, not to be found again; 0.8 is."""
    script = Script(at(0.5), at(0.3), at(0.3), at(0.5), at(0.5), at(0.8), at(0.5))
    said = run(FusionTracker(script, Looks(NOTHING), LIMITS), 7)
    assert [observation.box is None for observation in said] == [False, True, True, True, True, False, False]


def test_a_detector_that_looks_in_vain_twice_makes_it_lost() -> None:
    script = Script(*[at(0.9)] * 8)
    said = run(FusionTracker(script, Looks(SEEN, NOTHING), LIMITS, check_every=2), 8)
    assert [observation.box is None for observation in said] == [False] * 2 + [True] * 6


def test_the_detector_corrects_a_box_that_drifts() -> None:
    drifted: Box = (32.0, 40.0, 24.0, 24.0)
    script = Script(*[at(0.9, drifted)] * 4)
    said = run(FusionTracker(script, Looks(SEEN), LIMITS, check_every=2), 4)
    assert [observation.box for observation in said] == [drifted, BOX, BOX, BOX]


def test_another_class_or_size_or_place_is_not_the_object() -> None:
    others = found((3, 0.99, 30, 50, 24, 24), (2, 0.99, *FAR), (2, 0.99, 0, 20, 80, 80))
    script = Script(*[at(0.1)] * 5)
    said = run(FusionTracker(script, Looks(SEEN, others), LIMITS), 5)
    assert all(observation.box is None for observation in said)


def test_a_neighbour_of_the_same_class_is_not_taken_for_the_object() -> None:
    """It was seen beside the object before that was lost; a stranger at the same place would be taken."""
    beside = (34.0, 50.0, 24.0, 24.0)
    both, alone = found((2, 0.8, *BOX), (2, 0.9, *beside)), found((2, 0.9, *beside))
    back = found((2, 0.9, *beside), (2, 0.8, 24, 44, 24, 24))
    script = Script(at(0.9), *[at(0.1)] * 5)
    said = run(FusionTracker(script, Looks(both, alone, alone, alone, back), LIMITS, check_every=0), 6)
    assert [observation.box for observation in said] == [BOX, *[None] * 3, *[(24, 44, 24, 24)] * 2]
    stranger = FusionTracker(Script(*[at(0.1)] * 3), Looks(SEEN, NOTHING, NOTHING, alone), LIMITS)
    assert run(stranger, 3)[-1].box == beside


def test_two_boxes_on_the_object_make_no_neighbour() -> None:
    twice = found((2, 0.8, *BOX), (3, 0.6, 22, 41, 24, 24))
    script = Script(*[at(0.1)] * 3)
    said = run(FusionTracker(script, Looks(twice), LIMITS, check_every=0), 3)
    assert said[-1].box == BOX


def test_a_tracker_that_goes_over_to_a_neighbour_is_not_believed() -> None:
    beside = (50.0, 40.0, 24.0, 24.0)
    both = found((2, 0.8, *BOX), (2, 0.9, *beside))
    script = Script(at(0.9), *[at(0.95, beside)] * 3)
    said = run(FusionTracker(script, Looks(both), LIMITS, check_every=0), 3)
    assert [observation.box for observation in said] == [BOX] * 3  # the detector knows better
    assert script.starts == [BOX, BOX]


def test_what_the_camera_has_turned_away_from_is_lost() -> None:
    """The tracker clings to the frame's edge; the object is expected where it has gone, and found when it returns."""
    edge = (0.0, 40.0, 24.0, 24.0)
    script = Script(at(0.9), *[at(0.95, edge)] * 6)
    tracker = FusionTracker(script, Looks(SEEN, NOTHING, NOTHING, found((2, 0.8, 18, 40, 24, 24))), LIMITS)
    tracker.start(FRAME, BOX)
    said = [tracker.update(np.roll(FRAME, -by, axis=1)).box for by in (0, 20, 40, 40, 20, 0)]
    assert said == [BOX, edge, None, None, None, (18, 40, 24, 24)]


def test_a_lost_object_is_waited_for_where_the_camera_has_turned() -> None:
    script = Script(*[at(0.1)] * 6)
    elsewhere = (60.0, 40.0, 24.0, 24.0)
    tracker = FusionTracker(script, Looks(SEEN, NOTHING, NOTHING, found((2, 0.8, *elsewhere))), LIMITS)
    tracker.start(FRAME, BOX)
    said = [tracker.update(np.roll(FRAME, by, axis=1)).box for by in (0, 0, 20, 40)]
    assert said == [None, None, None, elsewhere]


def test_a_neighbour_is_forgotten_where_it_should_be_seen_and_is_not() -> None:
    inside, outside = (60.0, 20.0, 24.0, 24.0), (-40.0, 20.0, 24.0, 24.0)
    neighbours = Neighbours((160, 120))
    for _ in range(2):
        neighbours.remember(found((2, 0.8, *inside), (2, 0.8, *outside)), BOX)
    for _ in range(2):
        neighbours.remember(NOTHING, BOX)
    assert neighbours.boxes == [inside, outside]
    neighbours.remember(NOTHING, BOX)
    assert neighbours.boxes == [outside]
    assert neighbours.strangers(found((2, 0.8, *outside), (2, 0.8, *inside)), BOX).index.tolist() == [1]


def test_the_pictures_motion_carries_a_box_along() -> None:
    found = CameraMotion(FRAME).update(np.roll(FRAME, (5, -9), axis=(0, 1)))
    assert found.carried(BOX) == pytest.approx((11, 45, 24, 24), abs=0.5)


def test_motion_in_a_large_frame_is_in_its_own_pixels_and_can_grow() -> None:
    large = videos.landscape(1280, 720)
    by = np.array([[1.02, 0, 20], [0, 1.02, -10]])
    nearer = cv2.warpAffine(large, by, (1280, 720), borderMode=cv2.BORDER_REFLECT)
    found = CameraMotion(large).update(nearer)
    assert found.carried((600, 300, 40, 80)) == pytest.approx((632, 296, 40.8, 81.6), abs=1)


def test_what_moves_elsewhere_has_no_vote() -> None:
    large = videos.landscape(640, 480)
    later = np.roll(large, 4, axis=1)
    later[:, 400:] = np.roll(large, 11, axis=0)[:, 400:]
    found = CameraMotion(large).update(later)
    assert found.carried((80, 200, 40, 40)) == pytest.approx((84, 200, 40, 40), abs=0.5)
    assert found.carried((540, 200, 40, 40)) == pytest.approx((540, 211, 40, 40), abs=0.5)


def test_without_anything_to_go_by_a_box_stays() -> None:
    blank = np.zeros((50, 70, 3), np.uint8)
    assert CameraMotion(blank).update(blank).carried(BOX) == BOX
    assert CameraMotion(FRAME).update(np.zeros_like(FRAME)).carried(BOX) == BOX


def test_a_detector_alone_follows_the_nearest_of_its_class() -> None:
    moved = (25.0, 41.0, 25.0, 25.0)
    tracker = DetectorTracker(Looks(SEEN, found((2, 0.6, *moved), (3, 0.9, *BOX), (2, 0.9, *FAR)), NOTHING))
    tracker.start(FRAME, BOX)
    assert tracker.update(FRAME) == Observation(moved, 0.6)
    assert tracker.update(FRAME) == Observation(None, 0.0)


def test_detections_by_overlap_and_by_distance() -> None:
    table = found((1, 0.5, 0, 0, 10, 10), (2, 0.5, 4, 0, 10, 10))
    best = overlapping(table, (3, 0, 10, 10))
    assert best is not None
    assert best["class_id"] == 2
    assert overlapping(table, (50, 0, 10, 10)) is None
    assert overlapping(NOTHING, BOX) is None
    assert nearest(table, (3, 0, 10, 10), reach=1, class_id=1)["class_id"] == 1
    assert nearest(table, (3, 0, 10, 10), reach=1, class_id=7) is None
    assert nearest(table, (300, 0, 10, 10), reach=1) is None


def test_an_endpoint_gets_a_jpeg_and_weak_detections_are_left_out() -> None:
    class Endpoint:
        def predict(self, image: bytes) -> pd.DataFrame:
            assert image[:2] == b"\xff\xd8"
            return found((2, 0.8, *BOX), (2, 0.1, *FAR))

    assert len(by_endpoint(Endpoint(), minimum_score=0.5)(FRAME)) == 1


def test_a_remembered_detector_is_asked_once_a_frame() -> None:
    looks = Looks(SEEN, NOTHING)
    detect = remembered(looks)
    own = detect(FRAME)
    own["score"] = 0.0
    assert detect(FRAME.copy()).equals(SEEN)
    assert detect(FRAME + 1).empty
    assert looks.calls == 2


def record(truth: np.ndarray, boxes: np.ndarray, scores: np.ndarray) -> Run:
    return Run("a", truth, boxes, np.isfinite(truth[:, 0]).astype(float), scores, 1.0)


def test_calibration_parts_right_from_wrong() -> None:
    truth = np.tile([20.0, 40.0, 24.0, 24.0], (101, 1))
    boxes, scores = truth.copy(), np.full(101, 0.8)
    scores[1:41] = np.linspace(0.6, 0.9, 40)
    boxes[61:] += 100
    scores[61:] = np.linspace(0.1, 0.65, 40)
    thresholds = calibrate([record(truth, boxes, scores)])
    assert 0.55 < thresholds.lost < 0.7
    assert thresholds.found == pytest.approx(max(thresholds.lost, 0.6225), abs=0.02)


def test_hidden_frames_are_wrong_whatever_the_tracker_says() -> None:
    truth = np.tile([20.0, 40.0, 24.0, 24.0], (21, 1))
    boxes, scores = truth.copy(), np.full(21, 0.9)
    truth[11:], scores[11:] = np.nan, 0.2
    assert calibrate([record(truth, boxes, scores)]) == Thresholds(0.9, 0.9)


def test_calibration_needs_both_kinds_of_frames() -> None:
    truth = np.tile([20.0, 40.0, 24.0, 24.0], (9, 1))
    with pytest.raises(DataError, match="8 frames in which the tracker is right, 0 wrong"):
        calibrate([record(truth, truth, np.ones(9))])


@pytest.mark.parametrize("pair", [(0.5, 0.4), (-0.1, 0.5), (0.5, 1.1)])
def test_thresholds_must_be_in_order(pair: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="expected 0 <= lost <= found <= 1"):
        Thresholds(*pair)
