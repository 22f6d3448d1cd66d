"""Flipped bytes in the cache of decoded images: real files, and the advice of the message tried."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.cache import decoded
from sr.data.decode import SourceImage
from sr.data.pixel_check import CHECKED
from sr.data.pixel_map import IMAGE_INDEX, PIXELS, PixelMap


@pytest.fixture
def images(tmp_path: Path) -> list[SourceImage]:
    rng = np.random.default_rng(0)
    made = [SourceImage(f"{i:02}", tmp_path / f"{i:02}.png", None) for i in range(5)]
    for image in made:
        Image.fromarray(rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)).save(image.path)
    return made


@pytest.mark.parametrize("name", [PIXELS, IMAGE_INDEX])
@pytest.mark.parametrize("at", [0, 0.5, 1])
def test_one_flipped_byte_is_told_and_the_advice_helps(images: list[SourceImage], tmp_path: Path, name: str, at: float):
    def again() -> PixelMap:
        return decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")

    pairs = again()
    before, folder = [pair.hr.copy() for pair in pairs], pairs.folder
    with open(folder / name, "r+b") as file:
        place = int(at * (os.path.getsize(folder / name) - 1))
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ValueError, match=rf"{folder.name}.*; remove (that folder|the folder .*{folder.name})"):
        again()
    del pairs
    shutil.rmtree(folder)
    assert all(np.array_equal(pair.hr, hr) for pair, hr in zip(again(), before, strict=True))


def test_a_failing_disk_is_noticed_within_a_week(images: list[SourceImage], tmp_path: Path):
    folder = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache").folder
    noted = json.loads((folder / CHECKED).read_text())
    with open(folder / PIXELS, "r+b") as file:
        file.write(b"\0\0\0\0")
    state = os.stat(folder / PIXELS)
    noted["file"] = [state.st_size, state.st_mtime_ns, state.st_ctime_ns]  # as if the disk alone had changed it
    (folder / CHECKED).write_text(json.dumps(noted))
    assert len(PixelMap(folder)) == 5
    noted["time_s"] -= 8 * 24 * 60 * 60
    (folder / CHECKED).write_text(json.dumps(noted))
    with pytest.raises(ValueError, match=r"1 of 5 decoded images in .*pixels.u8 changed on the disk \(00\); remove"):
        PixelMap(folder)
