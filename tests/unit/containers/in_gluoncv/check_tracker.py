# ruff: noqa: E402  (MXNet imports only after compat.prepare)
"""Pairs and their answers, networks of one set of weights and two sizes, figures and thresholds of a run."""

from ssd import compat

compat.prepare()

import cv2
import mxnet as mx
import numpy as np
from siamrpn import evaluation, networks, pairs
from siamrpn.crops import Crop, Target
from siamrpn.names import Settings

SETTINGS, SIDE = Settings(instance=191), 159
STILL = pairs.Draw(shift=0, scale=0, blur=0, colour=0, grey=0, flip=0, negative=0, frame_range=100)
random = np.random.default_rng(0)


def target(class_id: int, colour: int, seen: int = 3, gone: int = 0) -> Target:
    """Squares of one grey each, so that a pair's pixels tell where it comes from."""
    side = pairs.crop_side(SIDE, 8, 0.18)
    jpeg = cv2.imencode(".png", np.full((side, side, 3), colour, np.uint8))[1].tobytes()
    other = cv2.imencode(".png", np.full((side, side, 3), colour + 1, np.uint8))[1].tobytes()
    sides = np.array([40.0, 90.0])
    return Target(class_id, [Crop(jpeg, i, sides) for i in range(seen)], [Crop(other, i, sides) for i in range(gone)])


def check_positive_anchors_decode_to_the_targets_box() -> None:
    batch = pairs.Pairs([target(0, 50)], SETTINGS, SIDE, STILL, 2, seed=0).batch(0)
    places = SETTINGS.score_size(SIDE)
    assert batch.templates.shape == (2, 3, 127, 127)
    assert batch.searched.shape == (2, 3, SIDE, SIDE)
    assert batch.classes.shape == (2, 5, places, places)
    anchors = evaluation.tracker(None, Settings(instance=SIDE)).anchors.T.reshape(4, 5, places, places)
    found = batch.classes[0] == 1
    assert 1 <= found.sum() <= pairs.POSITIVE
    x, y = (batch.codes[0, i] * anchors[i + 2] + anchors[i] for i in (0, 1))
    width, height = (np.exp(batch.codes[0, i]) * anchors[i] for i in (2, 3))
    middle = SIDE // 2 - (SIDE - 1) / 2
    np.testing.assert_allclose(np.stack([x, y])[:, found], middle, atol=1.5)  # the template may be cut a pixel off
    np.testing.assert_allclose(width[found], 40, rtol=1e-3)
    np.testing.assert_allclose(height[found], 90, rtol=1e-3)
    np.testing.assert_allclose(batch.weights[0].sum(), 1, rtol=1e-3)


def check_negatives_are_of_another_class_or_of_where_the_target_was() -> None:
    targets = [target(0, 50, gone=2), target(0, 100), target(1, 200)]
    drawn = pairs.Pairs(targets, SETTINGS, SIDE, STILL._replace(negative=1), 200, seed=1).batch(0)
    assert (drawn.classes < 1).all()
    assert not drawn.weights.any()
    origins = {
        tuple(np.round(pixels).astype(int)) for pixels in zip(*(p[:, 0, 60, 60] for p in drawn[:2]), strict=True)
    }
    assert origins == {(50, 51), (50, 200), (100, 200), (200, 50), (200, 100)}


def check_a_batch_depends_on_its_number_and_the_seed_alone() -> None:
    how = pairs.Draw(8, 0.18, 0.5, 1, 0.5, 0.5, 0.3, 100)
    first, again = (pairs.Pairs([target(0, 50), target(1, 90)], SETTINGS, SIDE, how, 4, seed=3) for _ in range(2))
    first.batch(0)
    for one, other in zip(first.batch(7), again.batch(7), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (first.batch(8).searched != again.batch(7).searched).any()


def check_networks_of_two_sizes_share_weights() -> None:
    trained, tracking = (networks.build(SETTINGS, 0.25, 16, b, s, mx.cpu()) for b, s in ((2, SIDE), (1, 191)))
    networks.initialize(trained, SETTINGS, SIDE, mx.cpu(), seed=1)
    networks.initialize(tracking, SETTINGS, 191, mx.cpu(), seed=2)
    networks.copy(trained, tracking)
    square = mx.nd.array(random.uniform(0, 255, (1, 3, 127, 127)))
    np.testing.assert_array_equal(trained.backbone(square).asnumpy(), tracking.backbone(square).asnumpy())
    tracking.template(square)
    answer = tracking.track(mx.nd.array(random.uniform(0, 255, (1, 3, 191, 191))))
    assert (answer["cls"].shape, answer["loc"].shape) == ((1, 10, 9, 9), (1, 20, 9, 9))


def check_figures_and_thresholds() -> None:
    ious = np.array([1.0, 0.52, np.nan, 0.0])
    run = evaluation.Run(ious, np.array([0.9, 0.8, 0.3, 0.1]))
    np.testing.assert_allclose(run.mean_iou, np.mean([1, 0.52, 0]))
    np.testing.assert_allclose(run.auc, np.mean([20 / 21, 11 / 21, 0]))  # 0.52 is above 0, 0.05 ... 0.5
    scores = evaluation.score_thresholds([run])
    np.testing.assert_allclose([scores["lost"], scores["found"]], [0.3, 0.805])
    assert evaluation.score_thresholds([evaluation.Run(np.zeros(3), np.ones(3))]) == evaluation.UNKNOWN


check_positive_anchors_decode_to_the_targets_box()
check_negatives_are_of_another_class_or_of_where_the_target_was()
check_a_batch_depends_on_its_number_and_the_seed_alone()
check_networks_of_two_sizes_share_weights()
check_figures_and_thresholds()
