"""Image files that are refused, each by its name: other formats, no regular files, too large, damaged, transparent."""

import os
import re
import socket
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import sr
from sr.data.image import color_profile, has_one_channel, image_size, read_image


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["EPS", "GIF", "PCX", "ICO", "TGA"])
def test_other_formats_under_an_image_s_name_are_refused(tmp_path: Path, pixels: np.ndarray, kind: str):
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path, format=kind)  # Pillow hands an EPS to Ghostscript, which runs programs
    for read in (read_image, image_size, has_one_channel, color_profile):
        with pytest.raises(ValueError, match=r"a\.png is not an image that can be read here"):
            read(path)


def test_what_is_no_regular_file_is_refused_without_opening_it(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")  # to open it would wait for ever
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "null.png").symlink_to("/dev/null")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket.png"))
    server.close()
    wanted = {
        "pipe": "is a named pipe and no regular file", "null": "is a device", "socket": "is a socket",
        "gone": "is a link to nothing", "loop": "cannot be opened", "folder": "is a folder; give one image",
    }  # fmt: skip
    for name, message in wanted.items():
        with pytest.raises(ValueError, match=rf"{name}\.png {message}"):
            read_image(tmp_path / f"{name}.png")


def test_large_images_are_refused_with_how_to_raise_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "large.png"
    Image.new("1", (13_400, 13_400)).save(path)  # 179.6 megapixels
    for read in (read_image, image_size):
        with pytest.raises(ValueError, match=r"large\.png has 13400x13400 = 180 megapixels, and the limit is 179"):
            read(path)
    with pytest.raises(ValueError) as refused:
        image_size(path)
    (advice,) = re.findall(r"SR_MAX_MEGAPIXELS=\d+", str(refused.value))
    monkeypatch.setenv(*advice.split("="))
    assert image_size(path) == (13_400, 13_400)
    assert image_size(path, 180) == (13_400, 13_400)
    with pytest.raises(ValueError, match="the limit is 100"):
        image_size(path, 100)
    monkeypatch.setenv("SR_MAX_MEGAPIXELS", "many")
    with pytest.raises(ValueError, match=r"SR_MAX_MEGAPIXELS is a number of megapixels above 0, got 'many'"):
        image_size(path)


def test_a_large_image_below_the_limit_is_read_without_a_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder):
    Image.new("1", (9_600, 9_600)).save(tmp_path / "large.png")
    assert image_size(tmp_path / "large.png") == (9_600, 9_600)
    assert not recwarn.list


def test_whatever_pillow_raises_names_the_file(tmp_path: Path, pixels: np.ndarray):
    text = PngInfo()
    text.add_text("comment", "a" * 2_000_000, zip=True)
    Image.fromarray(pixels).save(tmp_path / "text.png", pnginfo=text)
    with pytest.raises(ValueError, match=r"text\.png holds more text .* save it again without its metadata"):
        read_image(tmp_path / "text.png")
    rng = np.random.default_rng(0)
    for ending in ("png", "tif", "webp", "avif", "jp2", "tga", "bmp", "jpg"):
        whole, path = tmp_path / f"whole.{ending}", tmp_path / f"bad.{ending}"
        Image.fromarray(pixels).save(whole)
        for _ in range(40):
            damaged = bytearray(whole.read_bytes())
            for at in rng.integers(2, len(damaged), 6):
                damaged[at] = rng.integers(256)
            path.write_bytes(damaged)
            try:
                read_image(path)
            except ValueError as error:
                assert str(path) in str(error)


def test_a_transparent_grey_of_16_bits_is_refused_where_it_is_used(tmp_path: Path):
    values = Image.fromarray(np.array([[5, 600, 65535]], np.uint16))
    values.save(tmp_path / "used.png", transparency=600)
    values.save(tmp_path / "unused.png", transparency=601)
    assert read_image(tmp_path / "unused.png")[0, :, 0].tolist() == [0, 2, 255]
    with pytest.raises(ValueError, match=r"used\.png has transparent pixels"):
        read_image(tmp_path / "used.png")


def test_a_transparent_colour_of_16_bits_is_refused(tmp_path: Path):
    path = tmp_path / "deep.png"
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    colour = b"\x12\x34" * 3
    parts = {b"IHDR": header, b"tRNS": colour, b"IDAT": zlib.compress(b"\0" + colour), b"IEND": b""}
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts.items()))
    with pytest.raises(ValueError, match=r"deep\.png has 16-bit colours of which one is transparent; flatten"):
        read_image(path)


def test_one_channel_and_the_colour_profile_are_told_from_the_header(tmp_path: Path, pixels: np.ndarray):
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16)).save(tmp_path / "deep.png")
    grey = b"\0" * 16 + b"GRAY" + b"\0" * 108
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png", icc_profile=grey)
    assert [has_one_channel(tmp_path / f"{name}.png") for name in ("rgb", "deep", "grey")] == [False, True, True]
    assert color_profile(tmp_path / "grey.png") == (None, "GRAY")
    assert color_profile(tmp_path / "rgb.png") == (None, "")


def test_images_are_opened_in_one_place():
    files = [path for path in (Path(sr.__file__).parent).rglob("*.py") if path.name != "image.py"]
    assert files
    opening = [path for path in files if "Image.open(" in path.read_text(encoding="utf-8")]
    own = ["jpeg.py", "panel_drawing.py", "picture_speed.py", "plots.py"]  # pictures that these modules have just made
    assert sorted(path.name for path in opening) == own


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
