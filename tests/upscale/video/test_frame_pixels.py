"""Colours of frames: matrix and range are kept through the net, luma nets use the planes."""

from fractions import Fraction

import numpy as np
import pytest
from skimage import data

from sr.data.video.frame_colors import FrameColors, rgb_reader
from sr.evaluation import Upscaler, upscaler
from sr.functional.resize import bicubic, imresize
from sr.models.interpolation import Bicubic, Nearest
from sr.upscale.opened_net import OpenedNet
from sr.upscale.video.frame_pixels import FrameUpscaler

av = pytest.importorskip("av")
SMOOTH = imresize(imresize(np.ascontiguousarray(data.astronaut()[:240, :320]), 1 / 5), 2)  # without fine chroma
PATCHES = np.repeat(np.repeat(np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8), 24, 0), 24, 1)


def _frame(rgb: np.ndarray, matrix: int, color_range: int, pix_fmt: str = "yuv420p"):
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
    frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=color_range)
    frame.colorspace, frame.color_range = matrix, color_range
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


def _nearest() -> OpenedNet:
    return OpenedNet(upscaler=upscaler(Nearest(scale=2)), title="nearest", takes_16_bits=True)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("color_range", [1, 2])
@pytest.mark.parametrize("matrix", [1, 6])
def test_colours_come_back_under_each_matrix_and_range(matrix, color_range, pix_fmt):
    frame = _frame(PATCHES, matrix, color_range, pix_fmt)
    colors = FrameColors.of(frame)
    assert (colors.matrix, colors.color_range, colors.pix_fmt) == (matrix, color_range, pix_fmt)
    rgb = rgb_reader(frame, colors)(frame).to_ndarray()
    centres = (slice(12, None, 24), slice(12, None, 24))
    assert np.abs(rgb[centres].astype(int) - PATCHES[centres]).max() <= 3
    made = FrameUpscaler(_nearest(), frame, colors)
    large = made.to_frame(made.pixels(rgb))
    assert (large.height, large.width, large.format.name) == (192, 240, pix_fmt)
    # The planes of flat patches are those of the source: nothing was converted with another matrix.
    for number, (plane, before) in enumerate(zip(large.planes, frame.planes, strict=True)):
        error = np.abs(_centres(plane, 4, 5).astype(int) - _centres(before, 4, 5))
        assert error.max() <= 3, f"plane {number}"


def _samples(plane) -> np.ndarray:
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : plane.width]


def _centres(plane, num_rows: int, num_columns: int) -> np.ndarray:
    """Return the middle samples of patches."""
    height, width = plane.height // num_rows, plane.width // num_columns
    return _samples(plane)[height // 2 :: height, width // 2 :: width]


def test_a_frame_that_says_nothing_has_the_colours_that_players_assume():
    small, large = (_frame(np.zeros((side, 64, 3), np.uint8), 2, 0) for side in (64, 720))
    for frame in (small, large):
        frame.colorspace, frame.color_range = 2, 0
    assert (FrameColors.of(small).matrix, FrameColors.of(large).matrix) == (6, 1)
    assert FrameColors.of(small).color_range == 1


def test_a_luma_net_works_on_the_y_plane():
    frame = _frame(SMOOTH, 1, 1)
    net = OpenedNet(upscaler=_luma_bicubic(), title="bicubic", takes_16_bits=True)
    made = FrameUpscaler(net, frame, FrameColors.of(frame))
    assert made.is_luma
    large = made.luma(frame)
    plane, wide = _samples(frame.planes[0]), _samples(large.planes[0])
    assert np.abs(wide.astype(int) - imresize(plane.astype(np.float64), 2)).max() <= 1
    rgb = rgb_reader(large, FrameColors.of(frame))(large).to_ndarray()
    assert np.abs(rgb.astype(int) - imresize(SMOOTH, 2)).mean() < 2


def _luma_bicubic() -> Upscaler:
    return Upscaler(lambda y: bicubic(y, 2), color="y", scale=2)


def test_an_odd_size_loses_its_last_row_and_column():
    frame = _frame(PATCHES[:90, :118], 1, 1)
    net = OpenedNet(upscaler=upscaler(Bicubic(scale=1.5)), title="bicubic", takes_16_bits=True)
    assert FrameUpscaler(net, frame, FrameColors.of(frame)).size == (134, 176)
