import numpy as np
import pytest

from sr.functional.grid import block_artefacts, border_ratio, phase_spread


@pytest.mark.parametrize("block", [2, 3, 4])
def test_a_grid_is_found_and_its_depth_is_measured(block):
    noise = np.random.default_rng(0).normal(0, 5, (240, 240, 3))
    pattern = np.zeros((block, block))
    pattern[0, 0] = 10.0
    grid = np.tile(pattern, (240 // block, 240 // block))[..., None]
    assert phase_spread(noise, block) < 0.2
    assert phase_spread(noise + grid, block) == pytest.approx(pattern.std(), abs=0.2)
    assert phase_spread(noise + grid, 1) == 0


def test_other_sizes_are_cut_to_whole_blocks():
    assert phase_spread(np.tile([[1.0, 0.0], [0.0, 1.0]], (5, 5))[:9, :9], 2) == 0.5


def test_borders():
    picture = np.random.default_rng(0).normal(0, 1, (60, 80, 3))
    assert border_ratio(picture, 2) == pytest.approx(1, abs=0.05)
    assert border_ratio(np.kron(picture[:20, :20, 0], np.ones((2, 2))), 2) > 100
    assert border_ratio(np.zeros((8, 8)), 2) == 1


@pytest.mark.parametrize("start", [1, 2, 3, 4])
def test_borders_of_a_cropped_picture(start: int) -> None:
    picture = np.kron(np.random.default_rng(0).normal(0, 1, (20, 20)), np.ones((3, 3)))
    assert border_ratio(picture[start:, start:], 3, start) > 100
    assert border_ratio(picture[start:, start:], 3, start + 1) < 1


@pytest.mark.parametrize(("scale", "block"), [(2, 2), (1.5, 3)])
def test_both_nets_and_the_truth(scale, block):
    hr = np.random.default_rng(0).integers(60, 200, (48, 48, 3), dtype=np.uint8)
    sr = hr + np.tile(np.eye(block, dtype=np.uint8) * 8, (48 // block, 48 // block))[..., None]
    found = block_artefacts(hr, sr, hr, scale)
    assert found["float_phase_spread_lsb"] == 0
    assert found["quantized_phase_spread_lsb"] == pytest.approx((np.eye(block) * 8).std())
    assert found["float_border_ratio"] == found["hr_border_ratio"]
