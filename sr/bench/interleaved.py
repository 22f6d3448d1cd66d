"""Interleaved timing: a varying load of the machine then affects all alternatives equally."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch


class Span(NamedTuple):
    """Wall time, and processor time of all cores, which other processes do not increase; both in seconds."""

    seconds: float
    cpu_seconds: float


class Stopwatch:
    """Measure time from its construction.

    Args:
        device: Device to synchronize before each reading.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._wait()
        self._start = self._now()

    def read(self) -> Span:
        """Return the time since the construction."""
        self._wait()
        return Span(*(now - start for now, start in zip(self._now(), self._start, strict=True)))

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def time_interleaved(
    calls: Mapping[str, Callable[[], object]],
    *,
    num_rounds: int,
    num_warmup: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time functions interleaved: each is called once per round.

    Args:
        calls: Name -> function; it must return only when its work is done.
        num_rounds: Timed calls of each function, at least 1.
        num_warmup: Rounds before them that are not timed.
        clock: Clock in seconds; `time.process_time` is the processor time of this process on all cores.

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
    """Return the median and the 95th percentile of times.

    Args:
        times_ms: Times in milliseconds.

    Example:
        >>> median_and_p95([1.0, 2.0, 3.0])
        {'median_ms': 2.0, 'p95_ms': 2.9}
    """
    median, p95 = np.percentile(times_ms, [50, 95])
    return {"median_ms": round(float(median), 4), "p95_ms": round(float(p95), 4)}


def neighbours_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of values that were measured next to each other.

    Args:
        one: Numerators.
        other: Denominators, as many.

    Example:
        >>> neighbours_ratio([2.0, 9.0, 4.0], [1.0, 3.0, 4.0])
        2.0
    """
    return statistics.median(a / b for a, b in zip(one, other, strict=True))
