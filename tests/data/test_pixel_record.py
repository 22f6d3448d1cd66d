"""Records of decoded images, and what is kept of an unfinished map."""

import numpy as np
import pytest

from sr.data.pairs import ImagePair
from sr.data.pixel_map import PIXELS, PixelMap, write_pixel_map
from sr.data.pixel_record import IMAGE_RECORD, RECORDS, recorded

NAMES = ["a", "b", "c", "d"]


def pairs(start: int):
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (8 + 2 * i, 12, 3), dtype=np.uint8) for i in range(4)]
    return [recorded(ImagePair(NAMES[i], images[i][::2, ::2], images[i])) for i in range(start, 4)]


def stopped_after(number):
    """Yield some images, then end as a process does that is killed."""

    def rest(done: int):
        yield from pairs(done)[: number - done]
        raise KeyboardInterrupt

    return rest


@pytest.mark.parametrize("cut", [0, 1, 600])
def test_a_map_goes_on_from_the_last_whole_image(tmp_path, cut):
    whole, part = tmp_path / "whole", tmp_path / "part"
    whole.mkdir()
    part.mkdir()
    write_pixel_map(whole, NAMES, pairs)
    with pytest.raises(KeyboardInterrupt):
        write_pixel_map(part, NAMES, stopped_after(3))
    pixels = (part / PIXELS).read_bytes()
    (part / PIXELS).write_bytes(pixels[: len(pixels) - cut])
    starts: list[int] = []

    def rest(done: int):
        starts.append(done)
        return pairs(done)

    write_pixel_map(part, NAMES, rest)
    assert starts == [3 if cut == 0 else 2 if cut == 1 else 1]
    for name in (PIXELS, RECORDS, "index.json"):
        assert (part / name).read_bytes() == (whole / name).read_bytes()


def test_pixels_that_are_not_those_of_the_record_are_decoded_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_pixel_map(tmp_path, NAMES, stopped_after(3))
    with open(tmp_path / PIXELS, "r+b") as file:
        file.write(b"\0\0\0\0")
    write_pixel_map(tmp_path, NAMES, pairs)
    assert (PixelMap(tmp_path)[0].hr == pairs(0)[0][0].hr).all()


def test_a_record_is_small():
    assert IMAGE_RECORD.itemsize * 100_000 < 45e6
