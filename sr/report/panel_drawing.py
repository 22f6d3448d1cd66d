"""Draw a comparison panel as SVG and PNG: the image with its frame on the left, the crops beside it."""

import base64
import io
from html import escape

import numpy as np
from PIL import Image

from sr.report.panel import Panel, Tile

_GAP, _MARGIN = 12, 16
TILE = 200
"""Width and height in pixels that a crop is enlarged to, at least, by a whole factor."""
TEXT_HEIGHT = 40
"""Height of the two lines below a crop."""
MOST_IN_ROW = 3
PANEL_PNG_SCALE = 1
SHARPNESS = 2
"""Pixels of the whole image for each pixel of the drawing, at most: for screens and for print."""
FRAME = "#e4572e"
FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
LETTER_WIDTH = {True: 9.0, False: 7.4}
"""Width of a letter in pixels, bold or not, to shorten lines that are too long."""


def panel_svg(panel: Panel) -> str:
    """Draw a panel; crops are enlarged without interpolation, so each pixel stays a square."""
    zoom = max(1, -(-TILE // max(panel.box.width, panel.box.height)))
    width, height = panel.box.width * zoom, panel.box.height * zoom
    count = len(panel.tiles)
    in_row = count if count <= MOST_IN_ROW else max(2, -(-count // max(2, -(-count // 6))))
    num_rows = -(-count // in_row)
    rows_height = num_rows * (height + TEXT_HEIGHT) + (num_rows - 1) * _GAP
    whole_height = rows_height - TEXT_HEIGHT
    whole_width = round(panel.image.shape[1] * whole_height / panel.image.shape[0])
    left = _MARGIN + whole_width + _GAP
    places = [
        (left + (i % in_row) * (width + _GAP), _MARGIN + i // in_row * (height + TEXT_HEIGHT + _GAP))
        for i in range(count)
    ]
    size = (left + in_row * (width + _GAP) - _GAP + _MARGIN, rows_height + 2 * _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" '
        f'height="{size[1]}" font-family="{escape(FONT)}" font-size="13" fill="#1b1f27">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _whole(panel, whole_width, whole_height),
        *(_tile(tile, *place, width, height) for tile, place in zip(panel.tiles, places, strict=True)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def panel_png(svg: str) -> bytes:
    """Render the SVG of a panel.

    Raises:
        ValueError: vl-convert is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise ValueError(f"panels need vl-convert-python ({error}); pip install vl-convert-python") from error
    drawn = vl_convert.svg_to_png(svg, scale=PANEL_PNG_SCALE)
    content = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").save(content, format="PNG", optimize=True)  # a third smaller
    return content.getvalue()


def _whole(panel: Panel, width: int, height: int) -> str:
    """Draw the image and the frame of the crop on it."""
    share = width / panel.image.shape[1]
    x, y, w, h = (value * share for value in panel.box)
    small = Image.fromarray(panel.image)
    small.thumbnail((SHARPNESS * width, SHARPNESS * height), Image.Resampling.LANCZOS)
    frame = f'x="{_MARGIN + x:.1f}" y="{_MARGIN + y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="none"'
    return (
        _picture(np.asarray(small), _MARGIN, _MARGIN, width, height, "auto")
        + f'<rect {frame} stroke="#ffffff" stroke-width="5"/><rect {frame} stroke="{FRAME}" stroke-width="2.5"/>'
        + _text(panel.caption, _MARGIN, _MARGIN + height + 17, width, bold=False)
    )


def _tile(tile: Tile, x: int, y: int, width: int, height: int) -> str:
    """Draw a crop with its two lines."""
    border = (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{FRAME}" stroke-width="1.5"/>'
    )
    return (
        _picture(tile.pixels, x, y, width, height, "pixelated")
        + border
        + _text(tile.title, x, y + height + 17, width, bold=True)
        + _text(tile.note, x, y + height + 34, width, bold=False)
    )


def _picture(pixels: np.ndarray, x: int, y: int, width: int, height: int, rendering: str) -> str:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, format="PNG", optimize=True)
    url = f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
    place = f'x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none"'
    return f'<image {place} style="image-rendering:{rendering}" href="{url}"/>'


def _text(text: str, x: int, y: int, width: int, *, bold: bool) -> str:
    """Draw a line of text, shortened to its place; pointing at it shows all of it."""
    most = max(4, int(width / LETTER_WIDTH[bold]))
    shown = text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
    look = 'font-weight="600"' if bold else 'fill="#5d6675"'
    return f'<text x="{x}" y="{y}" {look}><title>{escape(text)}</title>{escape(shown)}</text>'
