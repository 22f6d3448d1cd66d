"""A release appears whole, certificate last, or not at all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sr.export.publish import CERTIFICATE, clear, hashed_files, whole, workshop
from sr.runs.files import write_json


def publish(folder: Path, **contents: str) -> None:
    """A release of files with these contents."""
    with workshop(folder) as work:
        for name, text in contents.items():
            (work / "sub").mkdir(exist_ok=True)
            (work / "sub" / name).write_text(text)
        write_json(work / CERTIFICATE, {"files": hashed_files(work)})


def test_files_move_in_and_old_ones_out(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    publish(folder, a="1", b="2")
    (folder / "mine.txt").write_text("a user's own file")
    publish(folder, b="3", c="4")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert names == ["certificate.json", "mine.txt", "sub/b", "sub/c"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_failure_leaves_the_old_release(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    publish(folder, a="1")
    with pytest.raises(RuntimeError, match="disk full"), workshop(folder) as work:
        (work / "a").write_text("half")
        raise RuntimeError("disk full")
    assert whole(folder, json.loads((folder / CERTIFICATE).read_text()))
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_killed_process_leaves_nothing_that_the_next_one_trips_over(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    code = (
        "import os, signal, sys; from pathlib import Path; from sr.export.publish import workshop\n"
        f"with workshop(Path({str(folder)!r})) as work:\n"
        "    (work / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL and not folder.exists()
    publish(folder, a="1")
    assert sorted(os.listdir(folder)) == ["certificate.json", "sub"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_changed_or_missing_file_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    publish(folder, a="1", b="2")
    certificate = json.loads((folder / CERTIFICATE).read_text())
    assert whole(folder, certificate)
    (folder / "sub" / "a").write_text("changed")
    assert not whole(folder, certificate)
    (folder / "sub" / "a").unlink()
    assert not whole(folder, certificate)
    clear(folder)
    assert not [path for path in folder.rglob("*") if path.is_file()]
