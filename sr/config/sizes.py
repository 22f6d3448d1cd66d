"""Output sizes that cost, latency and export are for: presets, or height x width of the LR image."""

import re

TARGETS = {
    "360p": (360, 640),
    "540p": (540, 960),
    "720p": (720, 1280),
    "1080p": (1080, 1920),
    "1440p": (1440, 2560),
    "2160p": (2160, 3840),
}
"""Height and width of the image that leaves the net."""
MAX_LR_PIXELS = 2160 * 3840
"""Beyond this a layer of 64 channels takes more than 2 GB for one image."""


def lr_sides(size: object) -> tuple[int, int] | None:
    """Return height and width of the LR image that a size states; None for a preset.

    Raises:
        ValueError: neither a preset nor height x width, or too many pixels.

    >>> lr_sides("540x960")
    (540, 960)
    """
    if size in TARGETS:
        return None
    found = re.fullmatch(r"([1-9][0-9]*)x([1-9][0-9]*)", str(size))
    if not found:
        known = ", ".join(TARGETS)
        raise ValueError(f"size={size!r} is no size: take a target of {known}, or LR height x width as 540x960")
    if len(str(size)) > 20 or int(found[1]) * int(found[2]) > MAX_LR_PIXELS:
        raise ValueError(f"size={size} is too large: the LR image has at most {MAX_LR_PIXELS} pixels, as 2160x3840")
    return int(found[1]), int(found[2])
