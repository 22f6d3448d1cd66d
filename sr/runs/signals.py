"""Ctrl-C and SIGTERM, by which users and queues end a job: which code may be interrupted, and how."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM)
STOPPED = "Stopped. The same command goes on from the last checkpoint."
STOPPED_EARLY = "Stopped before the run began."
STOP_WITH_STDIN = "SR_STOP_WITH_STDIN"
"""Variable by which a launcher tells a job that the end of its input is a stop."""

Handler = Callable[[int, FrameType | None], None]

_received: list[int] = []


@contextmanager
def ending_at_once() -> Iterator[None]:
    """End the process where it stands at Ctrl-C or SIGTERM, with a word and status 130 or 143.

    For imports and for reading settings: an exception raised there leaves numpy and torch half imported, and comes
    out as an error of theirs. Nothing is written there that an end could harm.
    """

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(RuntimeError, ValueError, OSError):  # in the middle of a print, or closed
            sys.stdout.flush()
            os.write(2, f"\n{STOPPED_EARLY}\n".encode())
        os._exit(128 + number)

    with _handled(end):
        yield


@contextmanager
def raising_stops() -> Iterator[None]:
    """Raise KeyboardInterrupt at Ctrl-C and SystemExit(143) at SIGTERM, and remember them for `stopped_by`.

    Where a library has put its own handler around this one, as Lightning does during a fit, SIGTERM is only
    remembered: Lightning ends the training after the current batch, with a checkpoint.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        _received.append(number)
        if signal.getsignal(number) is not stop:
            return
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    with _handled(stop):
        yield


def stop_with_launcher() -> None:
    """End this process as SIGTERM does once the launcher that started it closes its input, or is gone.

    A launcher that is killed tells nobody; its end of the pipe is closed by the system in every case.
    """

    def wait_for_end() -> None:
        with suppress(OSError):
            while os.read(0, 1024):  # not sys.stdin: a thread that waits in it makes the interpreter's end fail
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    if os.environ.pop(STOP_WITH_STDIN, ""):
        threading.Thread(target=wait_for_end, daemon=True).start()


def stopped_by(error: BaseException) -> int | None:
    """Return the number of the signal that an exception comes from; None for an error.

    After a signal every exception counts as its consequence: a library may turn it into an error of its own.
    """
    if _received:
        return _received[-1]
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    return signal.SIGTERM if type(error).__name__ == "SIGTERMException" else None  # Lightning's


def raise_if_stopped() -> None:
    """Raise SystemExit(128 + signal) if a signal was remembered and nobody has acted on it."""
    if _received:
        raise SystemExit(128 + _received[-1])


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    """Install a handler for the signals that stop; one that is ignored (as under `nohup`) stays so."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    before = {number: signal.getsignal(number) for number in STOPS}
    changed = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    for number in changed:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in changed.items():
            signal.signal(number, old)
