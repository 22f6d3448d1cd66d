"""One picture: profile, transparency, 16 bits, orientation, quality, and what a target cannot hold."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from sr.data.full_image import read_full_image
from sr.data.image import read_image
from sr.data.image_writer import write_strips
from sr.functional.resize import imresize
from sr.upscale.one_picture import SHOWN_PX, PictureSettings, shown, upscale_picture

SETTINGS = PictureSettings(quality=None, max_megapixels=None)
CROP = data.astronaut()[100:160, 100:180]


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9))


@pytest.fixture
def other_profile() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[44:48] = b"test"
    return bytes(profile)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif"])
def test_profile_and_pixels_are_kept(tmp_path, net, other_profile, ending):
    source, target = tmp_path / "in.png", tmp_path / f"out.{ending}"
    Image.fromarray(CROP).save(source, icc_profile=other_profile)
    assert upscale_picture(net, source, target, SETTINGS) == (120, 160)
    with Image.open(target) as image:
        assert image.info["icc_profile"] == other_profile
    assert _psnr(read_image(target), net(CROP)) > (38 if ending in ("jpg", "webp") else 80)


def test_a_profile_that_is_lost_is_told(tmp_path, net, other_profile, capsys):
    Image.fromarray(CROP).save(tmp_path / "in.png", icc_profile=other_profile)
    upscale_picture(net, tmp_path / "in.png", tmp_path / "out.bmp", SETTINGS)
    assert "out.bmp: without the colour profile of in.png: BMP holds none" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["png", "webp", "tif"])
def test_transparency_is_enlarged_by_bicubic(tmp_path, net, ending):
    alpha = np.linspace(0, 255, CROP.shape[1]).astype(np.uint8)[None].repeat(len(CROP), 0)
    Image.fromarray(np.dstack((CROP, alpha))).save(tmp_path / "in.png")
    target = tmp_path / f"out.{ending}"
    upscale_picture(net, tmp_path / "in.png", target, PictureSettings(quality=100, max_megapixels=None))
    made = read_full_image(target)
    assert made.alpha is not None and np.abs(made.alpha.astype(int) - imresize(alpha, 2)).max() <= 1
    if ending != "webp":  # a lossy file forgets colours behind transparency
        assert np.array_equal(made.pixels, net(CROP))
    with pytest.raises(ValueError, match=r"has transparent pixels, which JPEG cannot hold; give the target the ending"):
        upscale_picture(net, tmp_path / "in.png", tmp_path / "out.jpg", SETTINGS)


@pytest.mark.parametrize("num_channels", [3, 4])
def test_sixteen_bits_stay_sixteen_bits(tmp_path, net, int8_net, num_channels):
    ramp = np.linspace(0, 65535, 60 * 80 * num_channels).astype(np.uint16).reshape(60, 80, num_channels)
    write_strips(tmp_path / "in.png", "PNG", (60, 80), [ramp[:7], ramp[7:]], None)
    assert np.array_equal(read_full_image(tmp_path / "in.png").pixels, ramp[..., :3])
    upscale_picture(net, tmp_path / "in.png", tmp_path / "out.png", SETTINGS)
    made = read_full_image(tmp_path / "out.png")
    assert made.pixels.dtype == np.uint16 and np.array_equal(made.pixels, net(ramp[..., :3]))
    if num_channels == 4:
        assert made.alpha is not None and np.abs(made.alpha[::2, ::2].astype(int) - ramp[..., 3]).mean() < 400
        return
    upscale_picture(int8_net, tmp_path / "in.png", tmp_path / "bytes.png", SETTINGS)
    assert read_full_image(tmp_path / "bytes.png").pixels.dtype == np.uint8, "an INT8 net has bytes"


def test_a_photo_is_turned_as_its_camera_says(tmp_path, net):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise by 90 degrees
    Image.fromarray(CROP).save(tmp_path / "in.png", exif=exif)
    assert upscale_picture(net, tmp_path / "in.png", tmp_path / "out.png", SETTINGS) == (160, 120)
    assert np.array_equal(read_image(tmp_path / "out.png"), net(np.ascontiguousarray(np.rot90(CROP, -1))))


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_quality_sets_the_size_of_a_lossy_file(tmp_path, net, photo, ending):
    sizes = []
    for quality in (20, None, 100):
        target = tmp_path / f"{quality}.{ending}"
        upscale_picture(net, photo, target, PictureSettings(quality=quality, max_megapixels=None))
        sizes.append(target.stat().st_size)
    assert sizes == sorted(set(sizes))


def test_what_is_shown_is_what_is_written(tmp_path, net, photo):
    seen = []
    upscale_picture(net, photo, tmp_path / "out.png", SETTINGS, watch=lambda *each: seen.append(each))
    ((name, lr, sr),) = seen
    assert name == "photo.png" and np.array_equal(lr, CROP) and np.array_equal(read_image(tmp_path / "out.png"), sr)


@pytest.mark.parametrize(("scale", "size"), [(2, (600, 90)), (1.5, (90, 613)), (3, (20, 30))])
def test_only_the_centre_of_a_large_picture_is_shown(scale, size):
    lr = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    sr, seen = imresize(lr, scale), []
    strips = (sr[top : top + 37] for top in range(0, len(sr), 37))
    passed = list(shown(strips, "a", lr, scale, lambda *each: seen.append(each)))
    assert np.array_equal(np.concatenate(passed), sr)
    ((name, small, large),) = seen
    assert name == "a" and max(small.shape) <= SHOWN_PX and small.shape[0] >= min(size[0], SHOWN_PX)
    assert large.shape == imresize(small, scale).shape
    inner = slice(12, -12) if min(size) > 30 else slice(None)
    assert np.array_equal(large[inner, inner], imresize(small, scale)[inner, inner])


def test_a_full_disk_in_the_middle_leaves_nothing(tmp_path, net):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)).save(tmp_path / "in.png")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        for name in ("out.png", "out.jpg", "out.bmp", "out.webp", "out.tif"):
            with pytest.raises(OSError, match="File too large"):
                upscale_picture(net, tmp_path / "in.png", tmp_path / name, SETTINGS)
            assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


_PEAK = """
import resource, sys
from sr.upscale.command import main
status = main(sys.argv[1:])
print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_108_megapixels_are_upscaled_within_2_gb(tmp_path, ending):
    tile = np.asarray(Image.fromarray(data.astronaut()).resize((1000, 1000)))
    Image.fromarray(np.tile(tile, (9, 12, 1))).save(tmp_path / "in.jpg", quality=90)
    command = [sys.executable, "-c", _PEAK, str(tmp_path / "in.jpg"), str(tmp_path / f"out.{ending}")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "24000x18000" in done.stdout
    status, peak_gb = map(float, done.stdout.splitlines()[-1].split())
    assert status == 0 and peak_gb < 2


def test_a_picture_is_not_written_over_itself(tmp_path, net, photo):
    before = photo.read_bytes()
    with pytest.raises(ValueError, match="is the picture itself"):
        upscale_picture(net, photo, photo, SETTINGS)
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"), [("out.doc", "its ending has to be one of"), ("photo.png/out.png", "is no folder")]
)
def test_a_target_that_cannot_be_written_is_refused_before_the_work(tmp_path, net, photo, name, message):
    with pytest.raises(ValueError, match=message):
        upscale_picture(net, photo, tmp_path / name, SETTINGS)


@pytest.mark.filterwarnings("error")
def test_a_single_pixel_is_enlarged_without_a_warning(tmp_path: Path, net):
    Image.fromarray(CROP[:1, :1]).save(tmp_path / "in.png")
    assert upscale_picture(net, tmp_path / "in.png", tmp_path / "out.png", SETTINGS) == (2, 2)
