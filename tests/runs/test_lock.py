"""One process a run folder, however the holder dies."""

import errno
import signal
import subprocess
import sys

import pytest

from sr.runs import lock as claims
from sr.runs.lock import claim

HOLD = """
import sys, time
from pathlib import Path
from sr.runs.lock import claim
with claim(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_is_told_who_holds_it(tmp_path, holder):
    with pytest.raises(BlockingIOError, match=f"being written by process {holder.pid} on "), claim(tmp_path):
        pass


def test_a_killed_holder_leaves_the_folder_free(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with claim(tmp_path):
        pass


def test_a_folder_can_be_claimed_again(tmp_path):
    for _ in range(2):
        with claim(tmp_path):
            pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_not_told_as_another_process(tmp_path, monkeypatch, number):
    def refuse(file):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(claims, "_lock", refuse)
    with pytest.raises(OSError, match=r"file system without locks \(no locks here\)") as caught, claim(tmp_path):
        pass
    assert not isinstance(caught.value, BlockingIOError)
