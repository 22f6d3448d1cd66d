"""Files made by Pillow, byte for byte where Pillow cannot, read back or refused by name."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.image import image_size, read_image


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "webp"])
def test_rgb_files_come_back_as_they_are(tmp_path: Path, pixels: np.ndarray, ending: str):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(pixels).save(path, **({"lossless": True} if ending == "webp" else {}))
    assert np.array_equal(read_image(path), pixels)
    assert read_image(path).flags.c_contiguous
    assert image_size(path) == (24, 40)


def test_grey_is_repeated(tmp_path: Path, pixels: np.ndarray):
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_image(tmp_path / "grey.png"), pixels[..., :1].repeat(3, axis=2))


def test_black_and_white_becomes_0_and_255(tmp_path: Path):
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "bits.png")
    assert np.array_equal(read_image(tmp_path / "bits.png")[..., 1], 255 * np.eye(8, dtype=np.uint8))


def test_palette_is_looked_up(tmp_path: Path):
    indexed = Image.fromarray(np.array([[0, 1], [1, 2]], np.uint8), mode="P")
    indexed.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    indexed.save(tmp_path / "palette.png")
    assert read_image(tmp_path / "palette.png").tolist() == [[[10, 20, 30], [40, 50, 60]], [[40, 50, 60], [70, 80, 90]]]


def test_opaque_alpha_is_dropped(tmp_path: Path, pixels: np.ndarray):
    Image.fromarray(np.dstack([pixels, np.full((24, 40), 255, np.uint8)])).save(tmp_path / "opaque.png")
    assert np.array_equal(read_image(tmp_path / "opaque.png"), pixels)


def test_transparent_pixels_are_refused(tmp_path: Path, pixels: np.ndarray):
    Image.fromarray(np.dstack([pixels, pixels[..., 0]])).save(tmp_path / "glass.png")
    with pytest.raises(ValueError, match=r"glass\.png has transparent pixels.*flatten"):
        read_image(tmp_path / "glass.png")


def test_a_transparent_palette_entry_is_refused_only_where_it_is_used(tmp_path: Path):
    indexed = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    indexed.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    indexed.save(tmp_path / "unused.png", transparency=2)
    indexed.save(tmp_path / "used.png", transparency=1)
    assert read_image(tmp_path / "unused.png").tolist() == [[[10, 20, 30], [40, 50, 60]]]
    with pytest.raises(ValueError, match=r"used\.png has transparent"):
        read_image(tmp_path / "used.png")


def test_16_bit_grey_is_scaled_and_rounded(tmp_path: Path):
    values = np.array([[0, 128, 129, 257, 32768, 65535 - 129, 65535 - 128, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert read_image(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 0, 1, 1, 128, 254, 255, 255]


def test_16_bit_colour_keeps_the_high_byte(tmp_path: Path):
    values = np.array([[[0x1234, 0xFFFF, 0x00FF]]], ">u2")
    _write_png(tmp_path / "deep.png", values.tobytes(), width=1, height=1, bit_depth=16, color_type=2)
    assert read_image(tmp_path / "deep.png").tolist() == [[[0x12, 0xFF, 0x00]]]


@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_cmyk_is_refused(tmp_path: Path, pixels: np.ndarray, ending: str):
    path = tmp_path / f"print.{ending}"
    Image.fromarray(pixels).convert("CMYK").save(path)
    for read in (read_image, image_size):
        with pytest.raises(ValueError, match=r"print\..*CMYK.*convert it"):
            read(path)


def test_floats_are_refused(tmp_path: Path):
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match=r"float\.tif: floating point samples"):
        read_image(tmp_path / "float.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path: Path, pixels: np.ndarray, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    upright = {  # EXIF 2.3: what the first row and the first column of the file show
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels),
    }[orientation]
    assert np.array_equal(read_image(tmp_path / "turned.png"), upright)
    assert image_size(tmp_path / "turned.png") == upright.shape[:2]


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "tif", "webp"])
def test_a_truncated_file_names_itself(tmp_path: Path, pixels: np.ndarray, ending: str):
    whole = tmp_path / f"whole.{ending}"
    Image.fromarray(pixels).save(whole)
    (tmp_path / f"half.{ending}").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    with pytest.raises(ValueError, match=rf"half\.{ending} is (truncated|not an image)"):
        read_image(tmp_path / f"half.{ending}")


def test_other_contents_are_refused(tmp_path: Path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    for name in ("text.png", "empty.png"):
        with pytest.raises(ValueError, match=f"{name} is not an image"):
            read_image(tmp_path / name)
    with pytest.raises(ValueError, match=r"no file .*absent\.png"):
        read_image(tmp_path / "absent.png")


def test_several_frames_are_refused(tmp_path: Path, pixels: np.ndarray):
    image = Image.fromarray(pixels)
    image.save(tmp_path / "film.tif", save_all=True, append_images=[image])
    with pytest.raises(ValueError, match=r"film\.tif holds 2 frames"):
        read_image(tmp_path / "film.tif")


@pytest.mark.parametrize("ending", ["avif", "jfif", "jp2", "tga", "webp", "tiff", "jpe"])
def test_further_formats_are_read(tmp_path: Path, pixels: np.ndarray, ending: str):
    smooth = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)[..., None].repeat(3, axis=2)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(smooth).save(path, format={"jfif": "JPEG", "jpe": "JPEG"}.get(ending))
    assert np.abs(read_image(path).astype(int) - smooth).max() <= 8
    assert image_size(path) == (48, 64)


def _write_png(path: Path, rows: bytes, *, width: int, height: int, bit_depth: int, color_type: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, 0)
    step = len(rows) // height
    filtered = b"".join(b"\0" + rows[i * step : (i + 1) * step] for i in range(height))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(filtered)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
