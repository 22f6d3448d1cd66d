"""Timing: the order of the turns, the warm-up, what a stopwatch counts."""

import time

import pytest
import torch

from sr.bench.interleaved import Stopwatch, median_and_p95, neighbours_ratio, time_interleaved


def test_calls_take_turns_and_the_warm_up_is_not_counted() -> None:
    called: list[str] = []
    calls = {"a": lambda: called.append("a"), "b": lambda: (called.append("b"), time.sleep(0.005))}
    times = time_interleaved(calls, num_rounds=3, num_warmup=2)
    assert called == ["a", "b"] * 5
    assert [len(each) for each in times.values()] == [3, 3]
    assert min(times["b"]) >= 5 > min(times["a"])


def test_cpu_seconds_are_those_of_work() -> None:
    watch = Stopwatch(torch.device("cpu"))
    time.sleep(0.05)
    span = watch.read()
    assert span.seconds >= 0.05 > span.cpu_seconds


def test_the_ratio_is_that_of_neighbours() -> None:
    fast, slow = [10.0, 1.0, 8.0], [5.0, 0.5, 4.0]  # a machine that was slow once
    assert neighbours_ratio(fast, slow) == 2
    assert median_and_p95(list(range(101))) == pytest.approx({"median_ms": 50, "p95_ms": 95})
