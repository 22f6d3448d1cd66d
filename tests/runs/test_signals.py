"""Ctrl-C and SIGTERM: what each mode does with them, in processes of their own where they end one."""

import signal
import subprocess
import sys

import pytest

from sr.runs.signals import STOPPED_EARLY, raising_stops

STOPS = [signal.SIGINT, signal.SIGTERM]


def ended(code: str) -> tuple[int, str]:
    start = "import os, signal\nfrom sr.runs.signals import *\nstop = lambda n: os.kill(os.getpid(), n)\n"
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", STOPS)
def test_an_early_stop_ends_the_process_with_the_word_and_no_traceback(number):
    code = f"with ending_at_once():\n    stop({int(number)})\n    import time; time.sleep(60)"
    assert ended(code) == (128 + number, f"\n{STOPPED_EARLY}\n")


@pytest.mark.parametrize("number", STOPS)
def test_a_later_stop_raises_and_the_early_mode_comes_back_after_it(number):
    code = f"""
with ending_at_once():
    try:
        with raising_stops():
            stop({int(number)})
    except BaseException as error:
        assert stopped_by(error) == {int(number)}
        assert type(error) is {"KeyboardInterrupt" if number == signal.SIGINT else "SystemExit"}
        assert stopped_by(RuntimeError("of a library that was interrupted")) == {int(number)}
    stop({int(number)})
"""
    assert ended(code) == (128 + number, f"\n{STOPPED_EARLY}\n")


def test_where_a_library_handles_sigterm_itself_it_is_only_remembered():
    code = """
with raising_stops():
    ours = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *given: ours(*given))
    stop(signal.SIGTERM)
    print("goes on")
    raise_if_stopped()
"""
    assert ended(code) == (143, "")


def test_what_is_ignored_stays_ignored():
    code = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwith ending_at_once():\n    stop(signal.SIGINT)"
    assert ended(code) == (0, "")


def test_without_a_signal_an_error_is_an_error():
    assert ended("assert stopped_by(ValueError()) is None; raise_if_stopped()") == (0, "")


def test_the_handlers_from_before_come_back():
    before = [signal.getsignal(number) for number in STOPS]
    with pytest.raises(ValueError, match="mine"), raising_stops():
        raise ValueError("mine")
    assert [signal.getsignal(number) for number in STOPS] == before


def test_another_thread_than_the_main_one_is_left_alone():
    code = """
from threading import Thread
def work():
    with raising_stops():
        print("done")
thread = Thread(target=work); thread.start(); thread.join()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
"""
    assert ended(code) == (0, "")
