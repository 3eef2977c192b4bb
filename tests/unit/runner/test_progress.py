"""The progress line on a terminal and elsewhere."""

import io

import pytest

from lab_utils.runner.notebook import Step
from lab_utils.runner.progress import ProgressLine, clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00:00"), (83.9, "00:01:23"), (36_000, "10:00:00")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_elsewhere_every_step_is_a_line() -> None:
    stream = io.StringIO()
    with ProgressLine("01 detectron2", 9, stream) as line:
        line.step(Step(4, "Train the detector"))
        line.finish("FAILED", "cell [3]: it broke")
    first, last = stream.getvalue().splitlines()
    assert first.split() == ["01", "detectron2", "step", "4/9", "Train", "the", "detector", "00:00:00"]
    assert last.split() == ["01", "detectron2", "FAILED", "00:00:00", "cell", "[3]:", "it", "broke"]


def test_a_terminal_keeps_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    with ProgressLine("01 detectron2", 9, stream) as line:
        line.step(Step(4, "Train a detector with a very long name"))
        line.finish("PASSED")
    drawn, final = stream.getvalue().split("\r\x1b[K")[1:3]
    assert len(drawn) == 39
    assert final.startswith("01 detectron2")
    assert stream.getvalue().count("\n") == 1


def test_nothing_is_drawn_after_the_end() -> None:
    stream = io.StringIO()
    with ProgressLine("01 detectron2", 9, stream) as line:
        line.finish("PASSED")
        line.step(Step(9, "Clean up"))
    assert len(stream.getvalue().splitlines()) == 1
