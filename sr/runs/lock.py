"""One process a run folder."""

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
"""What a system answers where another process holds the lock; the last two are Windows's."""


@contextlib.contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Hold a run folder alone for as long as the block lasts.

    The claim is an advisory lock of the operating system on `.running`, so it ends with the process however that dies;
    the file's text tells who holds it.

    Raises:
        BlockingIOError: another process holds the folder; the message names its host and process.
        OSError: the folder's file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".running", "a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in HELD:
                raise OSError(
                    f"{folder} lies on a file system without locks ({error.strerror or error}), which keep two "
                    "processes from writing one run; give hydra.run.dir=<folder on a local disk>"
                ) from error
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise BlockingIOError(f"{folder} is being written by {holder}; wait for it, or stop it first") from error
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def _lock(file: Any) -> None:
    """Take the operating system's exclusive lock on an open file, or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        # Far behind the text, so that the one who is refused can still read who holds it.
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
