"""Run stages in threads with short queues between them, so that reading, upscaling and writing overlap."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

StageWork = Callable[[Iterator[Any]], Iterator[Any]]
DEPTH = 3
"""Items that wait between two stages: memory stays bounded."""
_POLL_SECONDS = 0.1
_END = object()


class _StoppedError(Exception):
    """Another stage failed, or the caller gave up."""


class Stages:
    """Stages of one job; each runs in a thread of its own and hands its items on in order.

    Args:
        stages: name -> function from an iterator of items to an iterator of items; the first gets no items.

    Attributes:
        busy_seconds: name -> time in which the stage neither waited for items nor for room to put them.
    """

    def __init__(self, stages: dict[str, StageWork]) -> None:
        self._stages = stages
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self._waited = dict.fromkeys(stages, 0.0)
        self._times: dict[str, list[float]] = {}

    @property
    def busy_seconds(self) -> dict[str, float]:
        """Return the time that each stage worked so far."""
        now = time.perf_counter()
        spans = {
            name: times[-1] - times[0] if len(times) == 2 else now - times[0] for name, times in self._times.items()
        }
        return {name: max(span - self._waited[name], 0.0) for name, span in spans.items()}

    @property
    def bottleneck(self) -> str:
        """Return the stage that worked longest; the others wait for it."""
        busy = self.busy_seconds
        return max(busy, key=lambda name: busy[name]) if busy else ""

    def results(self) -> Iterator[Any]:
        """Run all stages, and yield what the last one gives.

        The first error of a stage is raised here. At the end, whatever it is, all threads have ended.
        """
        queues: list[queue.Queue[Any]] = [queue.Queue(DEPTH) for _ in self._stages]
        threads = []
        for number, (name, work) in enumerate(self._stages.items()):
            before = queues[number - 1] if number else None
            threads.append(threading.Thread(target=self._run, args=(name, work, before, queues[number]), name=name))
        for thread in threads:
            thread.start()
        try:
            yield from self._items(queues[-1])
        except _StoppedError:
            pass
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        if self._errors:
            raise self._errors[0]

    def _run(self, name: str, work: StageWork, before: queue.Queue[Any] | None, after: queue.Queue[Any]) -> None:
        self._times[name] = [time.perf_counter()]
        try:
            for item in work(self._items(before, name) if before else iter(())):
                self._put(after, item, name)
            self._put(after, _END, name)
        except _StoppedError:
            pass
        except BaseException as error:
            self._errors.append(error)
            self._stop.set()
        finally:
            self._times[name].append(time.perf_counter())

    def _items(self, source: queue.Queue[Any], name: str = "") -> Iterator[Any]:
        while True:
            item = self._patiently(lambda: source.get(timeout=_POLL_SECONDS), name)
            if item is _END:
                return
            yield item

    def _put(self, target: queue.Queue[Any], item: Any, name: str) -> None:
        self._patiently(lambda: target.put(item, timeout=_POLL_SECONDS), name)

    def _patiently(self, action: Callable[[], Any], name: str) -> Any:
        """Repeat a queue's action until it succeeds, and count the time as waiting."""
        start = time.perf_counter()
        while not self._stop.is_set():
            try:
                return action()
            except (queue.Empty, queue.Full):
                continue
            finally:
                if name:
                    now = time.perf_counter()
                    self._waited[name] += now - start
                    start = now
        raise _StoppedError
