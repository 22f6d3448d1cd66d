"""Ctrl-C, where it must not strike."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unstopped() -> Iterator[None]:
    """Let a Ctrl-C wait until the work inside is done.

    For imports: stopped in one of them, numpy and torch are left half made, and end in an error of their own.

    Raises:
        KeyboardInterrupt: at the end, if there was a Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    stops: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: stops.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if stops:
        raise KeyboardInterrupt
