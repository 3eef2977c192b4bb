"""Batches in a thread: all of them, in order, with their errors."""

import threading

import pytest
from detection.prefetch import Prefetched


def test_every_batch_comes_in_order() -> None:
    assert list(Prefetched(range(1, 50))) == list(range(1, 50))


def test_no_more_batches_are_made_than_asked_for() -> None:
    made = []

    def batches():
        for number in range(100):
            made.append(number)
            yield [number]

    iterator = iter(Prefetched(batches(), ahead=2))
    assert next(iterator) == [0]
    for thread in threading.enumerate():
        if thread.daemon and thread.name.startswith("Thread"):
            thread.join(0.2)
    assert len(made) <= 4  # one given, two waiting, one in hand


def test_an_error_comes_after_the_batches_before_it() -> None:
    def batches():
        yield [1]
        raise ValueError("broken picture")

    iterator = iter(Prefetched(batches()))
    assert next(iterator) == [1]
    with pytest.raises(ValueError, match="broken picture"):
        next(iterator)
