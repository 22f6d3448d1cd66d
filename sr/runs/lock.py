"""Lock a run folder for one process, and tell which process holds it."""

import contextlib
import errno
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LOCK_NAME = ".running"
HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
"""What a system answers where another process holds the lock; the last two are Windows's."""
_RETRIES, _PAUSE_S = 5, 0.02
"""`holder` takes the lock for a moment: `claim` tries again before it believes that a run holds it."""


@contextlib.contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Hold a run folder alone for as long as the block lasts.

    The claim is an advisory lock of the operating system on `.running`, so it ends with the process however that dies;
    the file's text tells who holds it.

    Raises:
        BlockingIOError: another process holds the folder; the message names its host and process.
        ValueError: `.running` is a symbolic link, or no file.
        OSError: the folder's file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT) as file:
        try:
            _lock_patiently(file)
        except OSError as error:
            if error.errno not in HELD:
                raise OSError(
                    f"{folder} lies on a file system without locks ({error.strerror or error}), which keep two "
                    "processes from writing one run; give hydra.run.dir=<folder on a local disk>"
                ) from error
            raise BlockingIOError(
                f"{folder} is being written by {_text(file) or 'another process'}; wait for it, or stop it first"
            ) from error
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def holder(folder: Path) -> str:
    """Tell who writes into a run folder now, such as "process 4711 on host"; empty if nobody holds its lock."""
    try:
        with _opened(folder / LOCK_NAME, os.O_RDONLY) as file:
            text = _text(file)
            if not text:
                return ""
            try:
                _lock(file, shared=True)
            except OSError as error:
                return text if error.errno in HELD else ""
            return ""
    except (ValueError, OSError):
        return ""


def _opened(path: Path, flags: int) -> TextIO:
    """Open a regular file, never through a symbolic link and without waiting for a pipe's other end.

    Raises:
        ValueError: It is a symbolic link, or no regular file.
        OSError: It cannot be opened.
    """
    advice = "remove it and run the same command again"
    if path.is_symlink():  # Windows has no O_NOFOLLOW
        raise ValueError(f"{path} is a symbolic link, which a run does not write through; {advice}")
    if path.is_dir():
        raise ValueError(f"{path} is no regular file; {advice}")
    number = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o644)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise ValueError(f"{path} is no regular file; {advice}")
    return open(number, "r+" if flags & os.O_RDWR else "r", encoding="utf-8", errors="replace")


def _text(file: TextIO) -> str:
    """Read who holds the lock, as far as a sane text goes."""
    file.seek(0)
    return file.read(200).strip()


def _lock_patiently(file: TextIO) -> None:
    """Take the lock, or raise OSError after a tenth of a second."""
    for _ in range(_RETRIES):
        try:
            return _lock(file)
        except OSError as error:
            if error.errno not in HELD:
                raise
            time.sleep(_PAUSE_S)
    _lock(file)


def _lock(file: TextIO, *, shared: bool = False) -> None:
    """Take the operating system's lock on an open file, or raise OSError at once.

    NFS gives exclusive locks to files that are open for writing only, hence the shared one for readers.
    """
    if sys.platform == "win32":
        import msvcrt

        # Far behind the text, so that the one who is refused can still read who holds it.
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        return
    import fcntl

    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
