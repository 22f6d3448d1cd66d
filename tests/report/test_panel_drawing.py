"""A panel as a picture: the pixels of the crops, and texts that stay texts."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from sr.report.panel import Panel, Tile
from sr.report.panel_drawing import FRAME, PANEL_PNG_SCALE, panel_png, panel_svg
from sr.report.regions_of_interest import Box

COLOURS = [(200, 30, 40), (10, 180, 60), (40, 50, 190), (240, 220, 20), (90, 0, 120), (0, 140, 150), (120, 120, 120)]


def made(count, title="net <b> & co"):
    image = np.full((120, 200, 3), 77, np.uint8)
    tiles = [
        Tile(pixels=np.full((20, 30, 3), colour, np.uint8), title=f"{title} {index}", note=f"{30 + index}.00 dB")
        for index, colour in enumerate(COLOURS[:count])
    ]
    return Panel(image=image, box=Box(50, 40, 30, 20), caption="set5: bird, x2", tiles=tiles)


@pytest.mark.parametrize("count", range(1, 8))
def test_every_crop_is_in_the_png_once_and_large(count):
    pixels = np.asarray(Image.open(io.BytesIO(panel_png(panel_svg(made(count))))).convert("RGB"))
    for colour in COLOURS[:count]:
        rows, columns = np.nonzero((pixels == colour).all(axis=2))
        assert np.ptp(rows) + 1 >= 130 * PANEL_PNG_SCALE and np.ptp(columns) + 1 >= 195 * PANEL_PNG_SCALE
        assert len(rows) > 0.97 * (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "one whole rectangle"


def test_the_frame_is_around_the_crop():
    svg = ElementTree.fromstring(panel_svg(made(1)))
    whole = svg.find("{*}image").attrib
    share = float(whole["width"]) / 200
    frame = next(each.attrib for each in svg.iter("{http://www.w3.org/2000/svg}rect") if each.get("stroke") == FRAME)
    found = [float(frame[name]) for name in ("x", "y", "width", "height")]
    expected = [float(whole["x"]) + 50 * share, float(whole["y"]) + 40 * share, 30 * share, 20 * share]
    assert found == pytest.approx(expected, abs=0.1)


def test_names_stay_text_and_long_ones_are_shortened():
    svg = panel_svg(made(1, title="<script>alert(1)</script> and a long name"))
    root = ElementTree.fromstring(svg)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    title = next(text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("font-weight"))
    assert "".join(title.itertext()).count("<script>alert(1)</script> and a long name 0") == 1
    assert title.find("{*}title").tail.endswith("\N{HORIZONTAL ELLIPSIS}")
