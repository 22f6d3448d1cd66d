import numpy as np
import pytest
import torch

from sr.functional.resize import bicubic, imresize
from sr.models.interpolation import Bicubic, Nearest


def test_nearest_repeats_pixels() -> None:
    lr = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(1, 3, 2, 2)
    assert Nearest(scale=2)(lr)[0, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert Nearest(scale=1.5)(lr)[0, 2].tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4]]


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
@pytest.mark.parametrize("size", [(2, 2), (6, 10), (24, 16)])
def test_bicubic_is_the_resize_of_the_project(scale: float, size: tuple[int, int]) -> None:
    lr = torch.rand(2, 3, *size, dtype=torch.float64)
    sr = Bicubic(scale=scale).double()(lr)
    torch.testing.assert_close(sr, bicubic(lr, scale), atol=1e-6, rtol=0)


def test_bicubic_rounded_is_imresize_of_bytes_but_for_the_rounding_between_its_passes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 14, 3), dtype=np.uint8)
    lr = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    sr = (Bicubic(scale=3)(lr)[0].permute(1, 2, 0) * 255 + 0.5).floor().clip(0, 255).numpy().astype(int)
    difference = abs(sr - imresize(pixels, 3).astype(int))
    assert np.median(difference) == 0


@pytest.mark.parametrize("net", [Nearest, Bicubic])
def test_nothing_to_train_and_clear_errors(net: type) -> None:
    assert not net(scale=2).state_dict()
    assert not list(net(scale=2).parameters())
    with pytest.raises(ValueError, match=rf"{net.__name__} cannot upscale by 5: its scales are 1.5, 2, 3, 4"):
        net(scale=5)
