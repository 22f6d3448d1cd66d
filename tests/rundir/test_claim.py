"""One process a run folder, however the holder dies."""

import signal
import subprocess
import sys

import pytest

from sr.rundir.claim import claim

HOLD = """
import sys, time
from pathlib import Path
from sr.rundir.claim import claim
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
