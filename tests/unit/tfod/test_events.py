"""TensorBoard's event files, written by TensorBoard's own writer."""

from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from lab_utils.errors import DataError
from lab_utils.tfod import events


def write(folder: Path, tag: str, points: dict[int, float]) -> None:
    writer = EventFileWriter(str(folder))
    for step, value in points.items():
        writer.add_event(Event(step=step, summary=scalar_pb(tag, value)))
    writer.close()


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    write(tmp_path / "train", "Loss/total_loss", {step: 2 / step for step in range(1, 41)})
    write(tmp_path / "eval", "Loss/total_loss", {20: 0.5, 40: 0.25})
    write(tmp_path / "eval", "DetectionBoxes_Precision/mAP@.50IOU", {20: 0.5, 40: 0.75})
    return tmp_path


def test_every_point_is_read(curves: Path) -> None:
    points = events.read(curves)
    found = {key: dict(zip(rows["step"], rows["value"], strict=True)) for key, rows in points.groupby(["run", "tag"])}
    assert found[("eval", "Loss/total_loss")] == {20: 0.5, 40: 0.25}
    assert found[("eval", "DetectionBoxes_Precision/mAP@.50IOU")] == {20: 0.5, 40: 0.75}
    assert found[("train", "Loss/total_loss")] == pytest.approx({step: 2 / step for step in range(1, 41)})


def test_a_plot_for_each_curve_a_line_for_each_run(curves: Path) -> None:
    figure = events.draw(
        events.read(curves), ["Loss/total_loss", "learning_rate", "DetectionBoxes_Precision/mAP@.50IOU"]
    )
    loss, precision = figure.axes
    assert [line.get_label() for line in loss.lines] == ["eval", "train"]
    assert precision.get_title() == "DetectionBoxes_Precision/mAP@.50IOU"
    assert list(precision.lines[0].get_ydata()) == [0.5, 0.75]


def test_a_folder_without_curves_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected event files \(events.out.tfevents"):
        events.read(tmp_path)
