"""A frame of tiles: its output from a smaller image is that of the whole frame."""

import numpy as np
import pytest

from sr.export.kit.tiled_frame import run_tiled, tile_size, tiled


class Blur:
    """Sums of a window with zeros around the image, doubled in size; counts the pixels that it was given."""

    def __init__(self, field: int, drift: bool = False) -> None:
        self.reach, self.drift, self.num_pixels = field // 2, drift, 0

    def __call__(self, image: np.ndarray) -> np.ndarray:
        self.num_pixels += image.shape[0] * image.shape[1]
        wide = np.pad(image.astype(int), ((self.reach,) * 2, (self.reach,) * 2, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(wide, (2 * self.reach + 1,) * 2, axis=(0, 1))
        total = windows.sum(axis=(-1, -2))
        if self.drift:
            total = total + np.arange(image.shape[0])[:, None, None]
        return np.repeat(np.repeat((total % 256).astype(np.uint8), 2, axis=0), 2, axis=1)


TILE = np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(270, 480), (300, 130), (60, 700), (33, 65)])
def test_the_output_is_that_of_the_whole_frame(height: int, width: int) -> None:
    run = Blur(31)
    found = run_tiled(run, TILE, height, width, 2, covers=True)
    small = run.num_pixels
    assert np.array_equal(found, Blur(31)(tiled(TILE, height, width)))
    assert small <= height * width and (small < height * width or max(height // 32, width // 64) <= 4)


@pytest.mark.parametrize("case", [{"covers": False}, {"covers": True, "drift": True}])
def test_the_whole_frame_is_run_where_tiles_do_not_tell_it(case: dict[str, bool]) -> None:
    run = Blur(5, drift=case.pop("drift", False))
    found = run_tiled(run, TILE, 200, 70, 2, **case)
    assert run.num_pixels >= 200 * 70
    assert np.array_equal(found, Blur(5, drift=run.drift)(tiled(TILE, 200, 70)))


def test_tiles_fit_the_net_and_the_compiler() -> None:
    assert tile_size(33, multiple=1, scale=3) == (64, 64)
    assert tile_size(9, multiple=3, scale=2) == (96, 192)
