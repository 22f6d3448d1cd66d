"""Pictures written in strips come back to the byte; what cannot be written is refused before the work."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from sr.data.image import read_image
from sr.data.image_writer import FORMATS, check_target, write_strips


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif"])
def test_lossless_pictures_come_back_whatever_the_strips(tmp_path: Path, ending: str, rows: int):
    rng = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(30), np.arange(41))[..., None] + rng.integers(0, 40, (30, 41, 3))
    pixels = np.where(smooth > 60, smooth * 3, rng.integers(0, 256, (30, 41, 3))).astype(np.uint8)
    strips = (pixels[top : top + rows] for top in range(0, 30, rows))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_strips(tmp_path / f"a{ending}", FORMATS[ending], (30, 41), strips, profile)
    assert np.array_equal(read_image(tmp_path / f"a{ending}"), pixels)
    with Image.open(tmp_path / f"a{ending}") as image:
        assert image.info.get("icc_profile") == (None if ending == ".bmp" else profile)
        image.verify()


def test_what_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    for name, size, message in (
        ("a.doc", (4, 4), "its ending has to be one of .png"),
        ("a.jpg", (4, 65501), "would have 65501x4 pixels, and JPEG holds 65500 a side; give it the ending .png"),
        ("a.webp", (16384, 4), "WEBP holds 16383 a side"),
        ("a.bmp", (40000, 40000), r"a\.bmp would have 40000x40000 pixels, and a file of BMP ends at 4\.3 GB; give it"),
        ("a.tif", (40000, 40000), "a file of TIFF ends at 4.3 GB"),
        ("folder.png", (4, 4), r"folder\.png is a folder; give the name of a picture"),
        ("file/a.png", (4, 4), "is no folder, so .* choose another place"),
    ):
        with pytest.raises(ValueError, match=message):
            check_target(tmp_path / name, *size)
    assert check_target(tmp_path / "new/folders/a.png", 4, 65501) == "PNG"
