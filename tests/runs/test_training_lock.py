"""One training of a key at a time, between real processes; a failure counts once in a sweep."""

import subprocess
import sys
import time

import pytest

from sr.runs.training_lock import SWEEP, training_lock

HOLD = """
import sys, time
from pathlib import Path
from sr.runs.training_lock import training_lock
with training_lock(Path(sys.argv[1]), Path("outputs/main/first")):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def held_by_another(folder, seconds):
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_waits_and_says_for_whom(tmp_path, capsys):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "key"), "2"], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    started = time.monotonic()
    with training_lock(tmp_path / "key", tmp_path / "second"):
        waited = time.monotonic() - started
    assert holder.wait() == 0 and waited > 0.5
    said = capsys.readouterr().out
    assert f"is done by process {holder.pid} on " in said and "for outputs/main/first: this run waits" in said


def test_a_process_that_dies_gives_the_key_free(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "key"), "60"], stdout=subprocess.PIPE, text=True
    )
    holder.stdout.readline()
    holder.kill()
    holder.wait()
    with training_lock(tmp_path / "key", tmp_path / "second"):
        pass


def test_a_failed_training_is_not_tried_again_in_its_sweep_but_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv(SWEEP, "one")
    with pytest.raises(ValueError, match="the loss became nan"), training_lock(tmp_path / "key", tmp_path / "a"):
        raise ValueError("the loss became nan")
    said = r"the loss became nan \(the same training failed in .*a, in this sweep\)"
    with pytest.raises(ValueError, match=said), training_lock(tmp_path / "key", tmp_path / "b"):
        raise AssertionError("it is not tried")
    monkeypatch.setenv(SWEEP, "two")
    with training_lock(tmp_path / "key", tmp_path / "c"):
        pass
    monkeypatch.setenv(SWEEP, "one")
    with training_lock(tmp_path / "key", tmp_path / "d"):  # it went well since
        pass


def test_a_stop_is_no_failure(tmp_path, monkeypatch):
    monkeypatch.setenv(SWEEP, "one")
    with pytest.raises(KeyboardInterrupt), training_lock(tmp_path / "key", tmp_path / "a"):
        raise KeyboardInterrupt
    with training_lock(tmp_path / "key", tmp_path / "b"):
        pass
