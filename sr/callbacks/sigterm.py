"""What SIGTERM, by which queues and supervisors end a job, does outside of training."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch.utilities.exceptions import SIGTERMException


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """Let SIGTERM end the work inside where it stands; Lightning would only note it for the next training batch."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return

    def stop(*_: Any) -> None:
        raise SIGTERMException

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
