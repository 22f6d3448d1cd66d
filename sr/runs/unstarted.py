"""Run folders of starts that were refused."""

import contextlib
import logging
from pathlib import Path

from sr.runs.lock import claim

AT_EACH_START = ("failed.json", "run.log", ".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml")
"""Files that a run folder holds before anything is computed."""


def remove_unstarted(folder: Path) -> None:
    """Remove a run folder that holds no more than what each start writes; any other stays as it is.

    Args:
        folder: of the run; another process that holds it keeps it.
    """
    if not folder.is_dir() or any(path.is_symlink() for path in (folder, *folder.rglob("*"))):
        return
    if {path.relative_to(folder).as_posix() for path in folder.rglob("*")} - {".running", ".hydra", *AT_EACH_START}:
        return
    with contextlib.suppress(OSError):
        with claim(folder):
            _close_logs(folder)
            for name in AT_EACH_START:
                (folder / name).unlink(missing_ok=True)
        (folder / ".running").unlink(missing_ok=True)
        if (folder / ".hydra").is_dir():
            (folder / ".hydra").rmdir()
        folder.rmdir()


def _close_logs(folder: Path) -> None:
    """Close log files in the folder: Windows removes no open file."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent == folder:
            root.removeHandler(handler)
            handler.close()
