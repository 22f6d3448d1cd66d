"""One process a run folder, however the holder dies."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sr.runs.lock import claim, holder

HOLD = """
import sys, time
from pathlib import Path
from sr.runs.lock import claim
with claim(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

ASK = """
import sys
from pathlib import Path
from sr.runs.lock import holder
while True:
    holder(Path(sys.argv[1]))
"""


@pytest.fixture
def other(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_is_told_who_holds_it(tmp_path, other):
    with pytest.raises(BlockingIOError, match=f"being written by process {other.pid} on "), claim(tmp_path):
        pass
    assert holder(tmp_path).startswith(f"process {other.pid} on ")


def test_a_killed_holder_leaves_the_folder_free(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert "process" in (tmp_path / ".running").read_text()  # what it wrote is still there
    assert holder(tmp_path) == ""
    with claim(tmp_path):
        pass


@pytest.mark.parametrize(
    "text",
    [f"process {os.getpid()} on x", "process 1 on other-host", "\x1b[31m", "\0" * 9, ""],
    ids=["own", "other host", "escape", "zeros", "empty"],
)
def test_the_lock_tells_who_holds_a_folder_and_not_the_text(tmp_path, text):
    (tmp_path / ".running").write_text(text)
    assert holder(tmp_path) == ""


def test_a_folder_can_be_claimed_again_and_is_free_in_between(tmp_path):
    assert holder(tmp_path) == "" and not (tmp_path / ".running").exists()
    for _ in range(2):
        with claim(tmp_path):
            assert holder(tmp_path).startswith(f"process {os.getpid()} on ")
        assert holder(tmp_path) == ""


def test_a_question_who_holds_a_folder_keeps_nobody_from_it(tmp_path):
    (tmp_path / ".running").write_text("process 1 on a-host")
    asking = (
        "import sys\nfrom pathlib import Path\nfrom sr.runs.lock import holder\nwhile True: holder(Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", asking, str(tmp_path)])
    try:
        for _ in range(200):
            with claim(tmp_path):
                pass
            (tmp_path / ".running").write_text("process 1 on a-host")
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links and named pipes")
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_nothing_is_written_through_what_is_no_plain_file(tmp_path, kind):
    precious = tmp_path / "precious"
    folder = tmp_path / "run"
    folder.mkdir()
    if kind == "pipe":
        os.mkfifo(folder / ".running")
    else:
        if kind == "link":
            precious.write_text("my thesis")
        (folder / ".running").symlink_to(precious)
    with pytest.raises(ValueError, match=r"\.running is (a symbolic link|no regular file).*; remove it"), claim(folder):
        pass
    assert holder(folder) == ""
    assert precious.exists() == (kind == "link") and (kind != "link" or precious.read_text() == "my thesis")
    Path(folder / ".running").unlink()  # the advice
    with claim(folder):
        pass


@pytest.mark.skipif(os.name != "posix", reason="patches the POSIX call")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_not_told_as_another_process(tmp_path, monkeypatch, number):
    import fcntl

    def refuse(*_):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match=r"file system without locks \(no locks here\)") as caught, claim(tmp_path):
        pass
    assert not isinstance(caught.value, BlockingIOError)
