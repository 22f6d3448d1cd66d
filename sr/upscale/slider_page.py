"""Write a page that shows bicubic and the net in one picture, with a line to move between them."""

import base64
import html
import io
import string
from pathlib import Path

import numpy as np
from PIL import Image

from sr.functional.picture import centre
from sr.functional.resize import imresize
from sr.runs.files import write_atomically

MAX_PAIRS = 8
_LR_SIDE_PX = 480
"""Larger pictures are shown by their centre, so that the page stays small."""
_TEMPLATE = Path(__file__).with_suffix(".html")
_FIGURE = string.Template(
    """<figure>
  <div class="pair" style="--w: $width; --h: $height">
    <img alt="$name, bicubic" src="$bicubic">
    <img class="net" alt="$name, $title" src="$net">
    <b class="left">Bicubic</b><b class="right">$title</b>
    <i></i>
    <input type="range" min="0" max="100" step="0.1" value="50" aria-label="position of the line in $name">
  </div>
  <figcaption><span>$name</span><small>$lr_width&times;$lr_height &rarr; $width&times;$height</small></figcaption>
</figure>"""
)


class SliderPage:
    """The first pictures of a job, or one frame a second of a video.

    Args:
        title: what made the right half.
        scale: upscaling factor.
        every_seconds: shortest time between two frames of a video.
    """

    def __init__(self, title: str, scale: float, every_seconds: float = 1.0) -> None:
        self._title, self._scale, self._every = title, scale, every_seconds
        self._figures: list[str] = []
        self._next_seconds = 0.0

    def add(self, name: str, lr: np.ndarray, sr: np.ndarray) -> None:
        """Add a picture; only the first `MAX_PAIRS` are kept.

        Args:
            name: shown below it.
            lr: (h, w, 3) uint8 or uint16.
            sr: (H, W, 3) upscaled by the net, of the same type.
        """
        if len(self._figures) == MAX_PAIRS:
            return
        small, large = (_to_bytes(image) for image in (lr, sr))
        bicubic = imresize(small, self._scale)[: large.shape[0], : large.shape[1]]
        side = round(_LR_SIDE_PX * self._scale)
        pair = {"bicubic": _data_url(centre(bicubic, side)), "net": _data_url(centre(large, side))}
        sizes = dict(zip(("height", "width"), centre(large, side).shape, strict=False))
        sizes |= dict(zip(("lr_height", "lr_width"), centre(small, _LR_SIDE_PX).shape, strict=False))
        self._figures.append(_FIGURE.substitute(pair, **sizes, name=html.escape(name), title=html.escape(self._title)))

    def add_frame(self, seconds: float, lr: np.ndarray, sr: np.ndarray) -> None:
        """Add a frame of a video if enough time has passed since the last one."""
        if seconds >= self._next_seconds:
            self._next_seconds = seconds + self._every
            self.add(f"{seconds:.2f} s", lr, sr)

    def write(self, path: Path) -> None:
        """Write the page, one file with everything in it.

        Raises:
            ValueError: there is no picture to show.
        """
        if not self._figures:
            raise ValueError(f"{path} would show no picture: none was upscaled now")
        template = string.Template(_TEMPLATE.read_text(encoding="utf-8"))
        write_atomically(path, template.substitute(title=html.escape(self._title), figures="\n".join(self._figures)))


def _to_bytes(image: np.ndarray) -> np.ndarray:
    return image if image.dtype == np.uint8 else ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _data_url(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
