import os
import signal

import pytest

from sr.runs.signals import unstopped


def test_a_stop_waits_for_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt), unstopped():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    with pytest.raises(KeyboardInterrupt):  # and from here on it strikes at once
        signal.raise_signal(signal.SIGINT)


def test_an_error_inside_is_told_rather_than_the_stop():
    with pytest.raises(ValueError, match="mine"), unstopped():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("mine")


def test_nothing_happens_without_a_stop():
    before = signal.getsignal(signal.SIGINT)
    with unstopped():
        pass
    assert signal.getsignal(signal.SIGINT) is before
