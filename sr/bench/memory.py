"""Peak resident memory of this process, without the pages of decoded images, which the system can reclaim."""

import os
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from sr.data.pixel_map import PIXELS

PROC = Path("/proc/self")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_HEADER = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ")


class PeakMemory:
    """Context manager that measures the peak resident memory of this process in a background thread.

    Attributes:
        peak_bytes: Largest sample, None if the system has no /proc (other than Linux). Pages of pixel maps are not
            counted; pages of programs and libraries are.
        num_samples: Number of samples; on a busy machine a short peak can be missed.

    Args:
        every_s: Seconds between two samples.
    """

    def __init__(self, *, every_s: float = 0.005) -> None:
        self.peak_bytes: int | None = None
        self.num_samples = 0
        self._every_s, self._stop = every_s, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._most = 0

    def __enter__(self) -> Self:
        """Start sampling."""
        if (PROC / "statm").is_file():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop sampling."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self.peak_bytes = self._most + max(0, _file_bytes() - map_bytes((PROC / "smaps").read_text()))

    def _watch(self) -> None:
        while True:
            self._most = max(self._most, _own_bytes())
            self.num_samples += 1
            if self._stop.wait(self._every_s):
                return


def _own_bytes() -> int:
    """Return the resident bytes that belong to no file."""
    resident, shared = map(int, (PROC / "statm").read_text().split()[1:3])
    return (resident - shared) * _PAGE_BYTES


def _file_bytes() -> int:
    """Return the resident bytes that belong to files."""
    return int((PROC / "statm").read_text().split()[2]) * _PAGE_BYTES


def map_bytes(smaps: str) -> int:
    """Return the resident bytes of pixel maps of a process.

    Args:
        smaps: The text of /proc/<process>/smaps.
    """
    total, inside = 0, False
    for line in smaps.splitlines():
        if _HEADER.match(line):
            inside = line.endswith(f"/{PIXELS}")
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total
