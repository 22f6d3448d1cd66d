"""Branches for Windows and for file systems without hard links, taken here by hiding what POSIX has."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sr.runs import lock
from sr.runs.results import link_file


def test_a_file_system_without_hard_links_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_text("text")
    link_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "text" and not os.path.samefile(tmp_path / "a", tmp_path / "b")


def test_windows_locks_one_byte_behind_the_text_and_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = []
    calls = SimpleNamespace(LK_NBLCK=2, locking=lambda number, mode, count: locked.append((mode, count)))
    monkeypatch.setitem(sys.modules, "msvcrt", calls)
    monkeypatch.setattr(sys, "platform", "win32")
    with open(tmp_path / "lock", "w+") as file:
        lock._lock(file)
        assert locked == [(2, 1)] and file.tell() > 1000
