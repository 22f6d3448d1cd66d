"""Stages overlap, keep the order, stay bounded, and end together."""

import threading
import time
from collections.abc import Iterator

import pytest

from sr.upscale.stages import DEPTH, Stages


def test_items_come_out_in_order_and_the_slowest_stage_is_named():
    def slow(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            time.sleep(0.01)
            yield item * 10

    stages = Stages(
        {"read": lambda _: iter(range(8)), "slow": slow, "write": lambda items: (item + 1 for item in items)}
    )
    assert list(stages.results()) == [1, 11, 21, 31, 41, 51, 61, 71]
    assert stages.bottleneck == "slow"
    assert stages.busy_seconds["slow"] >= 0.08 and stages.busy_seconds["read"] < 0.05


def test_a_fast_stage_waits_for_a_slow_one():
    made = []

    def read(_: Iterator[int]) -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    results = Stages({"read": read}).results()
    next(results)
    time.sleep(0.2)
    assert len(made) <= DEPTH + 3
    results.close()


@pytest.mark.parametrize("broken", ["read", "work", "write"])
def test_the_first_error_is_raised_and_no_thread_is_left(broken):
    closed = []

    def stage(name: str, source: Iterator[int]) -> Iterator[int]:
        try:
            for number in source:
                if name == broken and number == 5:
                    raise ValueError(f"{name} failed")
                yield number
        finally:
            closed.append(name)

    names = ("read", "work", "write")
    work = {
        name: (lambda items, name=name: stage(name, iter(range(100)) if name == "read" else items)) for name in names
    }
    with pytest.raises(ValueError, match=f"^{broken} failed"):
        list(Stages(work).results())
    assert sorted(closed) == sorted(names)
    assert not [thread for thread in threading.enumerate() if thread.name in names]


def test_a_caller_that_stops_early_ends_the_stages():
    results = Stages({"endless": lambda _: iter(int, 1)}).results()
    assert next(results) == 0
    results.close()
    assert "endless" not in [thread.name for thread in threading.enumerate()]
