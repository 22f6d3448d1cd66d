"""Timing in turns: a slow minute of the machine then falls on all that is compared."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch


class Span(NamedTuple):
    """How long something took: on the wall, and on all processors together, which other processes do not lengthen."""

    seconds: float
    cpu_seconds: float


class Stopwatch:
    """Runs from its making on.

    Args:
        device: What has to be done with its work before the time is read.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._wait()
        self._start = self._now()

    def read(self) -> Span:
        """The time since the start."""
        self._wait()
        return Span(*(now - start for now, start in zip(self._now(), self._start, strict=True)))

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def in_turns(
    calls: Mapping[str, Callable[[], object]],
    *,
    num_rounds: int,
    num_warmup: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time calls one after the other, round after round.

    Args:
        calls: Name -> what is called; it returns when its work is done.
        num_rounds: Timed calls of each, at least 1.
        num_warmup: Rounds before them that are not timed.
        clock: Gives seconds; `time.process_time` counts this process's own work on all processors.

    Returns:
        Name -> milliseconds of each timed call.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(num_warmup + num_rounds):
        for name, call in calls.items():
            started = clock()
            call()
            spent[name].append((clock() - started) * 1e3)
    return {name: values[num_warmup:] for name, values in spent.items()}


def median_and_p95(times_ms: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of milliseconds.

    >>> median_and_p95([1.0, 2.0, 3.0])
    {'median_ms': 2.0, 'p95_ms': 2.9}
    """
    median, p95 = np.percentile(times_ms, [50, 95])
    return {"median_ms": round(float(median), 4), "p95_ms": round(float(p95), 4)}


def neighbours_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Median of the ratios of what was measured next to each other.

    >>> neighbours_ratio([2.0, 9.0, 4.0], [1.0, 3.0, 4.0])
    2.0
    """
    return statistics.median(a / b for a, b in zip(one, other, strict=True))
