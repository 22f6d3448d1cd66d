"""The page with a slider holds bicubic and the net at the same place."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sr.functional.resize import imresize
from sr.upscale.slider_page import MAX_PAIRS, SliderPage

LR = np.ascontiguousarray(data.astronaut()[:30, :40])


def _images(page: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in re.findall(r"base64,([^\"]+)", page)]


@pytest.mark.parametrize("factor", [1, 257])
def test_both_halves_show_the_same_place(tmp_path, factor):
    page = SliderPage("<net>", 2)
    lr = LR.astype(np.uint16) * factor if factor > 1 else LR
    page.add("a & b.png", lr, np.zeros((60, 80, 3), lr.dtype))
    page.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    bicubic, net = _images(text)
    assert np.array_equal(bicubic, imresize(LR, 2)) and net.shape == bicubic.shape and not net.any()
    assert "a &amp; b.png" in text and "&lt;net&gt;" in text and "<net>" not in text
    assert "http" not in text, "it is complete in itself"


def test_the_first_pictures_and_a_frame_a_second_are_shown(tmp_path):
    page = SliderPage("net", 2)
    for number in range(100):
        page.add_frame(number / 4, LR, np.zeros((60, 80, 3), np.uint8))
    page.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(_images(text)) == 2 * MAX_PAIRS and "7.00 s" in text and "0.25 s" not in text


def test_a_large_picture_is_shown_by_its_centre(tmp_path):
    page = SliderPage("net", 2)
    page.add("large", np.zeros((600, 500, 3), np.uint8), np.zeros((1200, 1000, 3), np.uint8))
    page.write(tmp_path / "page.html")
    assert {image.shape for image in _images((tmp_path / "page.html").read_text(encoding="utf-8"))} == {(960, 960, 3)}


def test_a_page_without_pictures_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"page\.html would show no picture"):
        SliderPage("net", 2).write(tmp_path / "page.html")
