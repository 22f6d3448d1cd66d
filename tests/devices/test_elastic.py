"""Start of several processes: their variables, their end, and one message for one that is killed."""

import os

import pytest

from sr.devices.elastic import launch
from sr.devices.world import LAUNCHED

MODULE = "tests.devices.test_elastic"


def test_what_each_process_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert launch(["note", str(tmp_path)], 2, threads=1, module=MODULE) == 0
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["0 2 1 1", "1 2 1 1"]
    assert LAUNCHED not in os.environ and "OMP_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(("what", "says"), [("killed", "device 1 .* was ended by SIGKILL"), ("failed", "")])
def test_one_message_for_a_process_that_ends(what, says, tmp_path, monkeypatch, capfd):
    import re

    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    assert launch([what, str(tmp_path)], 2, threads=1, module=MODULE) == 1
    errors = capfd.readouterr().err.strip().splitlines()
    assert len(errors) == bool(says), errors
    assert not says or re.search(says, errors[0])


def _main() -> None:
    import signal
    import sys
    import time
    from pathlib import Path

    what, folder = sys.argv[1:]
    rank = os.environ["RANK"]
    if what == "note":
        told = [rank, *(os.environ[name] for name in ("WORLD_SIZE", LAUNCHED, "OMP_NUM_THREADS"))]
        Path(folder, rank).write_text(" ".join(told))
    elif rank == "1":
        if what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        sys.exit(1)
    else:
        time.sleep(60)


if __name__ == "__main__":
    _main()
