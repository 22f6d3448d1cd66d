"""Resident memory: what is there for a moment is seen, the pages of a pixel map are not."""

import gc
import mmap
import time
from pathlib import Path

import numpy as np
import pytest

from sr.bench.memory import PROC, PeakMemory, map_bytes
from sr.data.pairs import ImagePair
from sr.data.pixel_map import PixelMap, write_pixel_map
from sr.data.pixel_record import recorded

linux = pytest.mark.skipif(not (PROC / "statm").is_file(), reason="no /proc on this system")
MIB = 2**20


def wait_for_a_look(memory: PeakMemory) -> None:
    """Until one was begun and ended from here on."""
    seen, started = memory.num_samples, time.perf_counter()
    while memory.num_samples < seen + 2:
        assert time.perf_counter() - started < 30
        time.sleep(0.005)


@linux
def test_what_passes_is_seen() -> None:
    gc.collect()  # what other tests left is not to go meanwhile
    # Straight from the system: malloc may reuse pages that have been resident before.
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with PeakMemory() as memory, mmap.mmap(-1, 256 * MIB, flags=private) as fresh:
        for _ in range(256):
            fresh.write(bytes(MIB))
        wait_for_a_look(memory)
    with PeakMemory() as after:
        wait_for_a_look(after)
    assert memory.peak_bytes is not None and after.peak_bytes is not None
    assert 192 * MIB < memory.peak_bytes - after.peak_bytes < 320 * MIB


@linux
def test_the_pages_of_a_pixel_map_are_not(tmp_path: Path) -> None:
    hr = np.ones((4096, 4096, 3), np.uint8)
    images = [recorded(ImagePair("a", hr[::2, ::2], hr))]
    write_pixel_map(tmp_path, ["a"], lambda done, images=images: images[done:])
    del hr, images
    gc.collect()
    with PeakMemory() as before:
        wait_for_a_look(before)
    with PeakMemory() as memory:
        pixels = PixelMap(tmp_path)[0].hr
        assert pixels[::16].max() == 1
        wait_for_a_look(memory)
    assert map_bytes((PROC / "smaps").read_text()) > 24 * MIB
    assert memory.peak_bytes is not None and before.peak_bytes is not None
    assert memory.peak_bytes - before.peak_bytes < 24 * MIB


def test_only_maps_are_counted() -> None:
    listing = (
        "7f00-7f10 r--s 00000000 08:01 12  /cache/ab/pixels.u8\nSize: 2048 kB\nRss: 1024 kB\nPss: 5 kB\n"
        "7f10-7f20 r-xp 00000000 08:01 13  /lib/libc.so.6\nRss: 300 kB\n"
        "7f20-7f30 r--s 00000000 08:01 14  /cache/cd/pixels.u8\nRss: 8 kB\n"
    )
    assert map_bytes(listing) == 1032 * 1024
