"""Whole-image inference: rounding, padding, colour of Y nets, modes of the net, refusals."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sr.evaluation import Upscaler, to_network, upscaler
from sr.functional.color import rgb_to_y
from sr.functional.resize import bicubic, imresize


class Net(nn.Module):
    """Nearest neighbour with a weight of one, which notes how it was called."""

    def __init__(self, scale: float, color: str, size_multiple: int = 1) -> None:
        super().__init__()
        self.scale, self.color, self.size_multiple = scale, color, size_multiple
        self.weight = nn.Parameter(torch.ones(()))
        self.frozen = nn.Sequential(nn.BatchNorm2d(1)).eval()
        self.seen: list[tuple[Tensor, bool, bool]] = []

    def forward(self, lr: Tensor) -> Tensor:
        self.seen.append((lr, self.training, torch.is_grad_enabled()))
        return interpolate(lr, scale_factor=self.scale, mode="nearest") * self.weight


class CubicY(Net):
    """Bicubic on luma."""

    def forward(self, lr: Tensor) -> Tensor:
        return bicubic(lr, self.scale) * self.weight


def _photo(height: int = 12, width: int = 14) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_rgb_pixels_pass_through_unchanged(scale: int) -> None:
    sr = upscaler(Net(scale, "rgb"))(_photo())
    assert sr.dtype == np.uint8 and sr.flags.c_contiguous
    assert np.array_equal(sr, _photo().repeat(scale, 0).repeat(scale, 1))


def test_the_result_is_clipped_and_rounded_half_up() -> None:
    def run(lr: Tensor) -> Tensor:
        values = torch.tensor([-0.3, 0.4999 / 255, 0.5 / 255, 254.6 / 255, 7.0])
        return values.expand(1, 3, 1, 5)

    assert Upscaler(run, color="rgb", scale=1)(_photo(1, 5))[0, :, 0].tolist() == [0, 0, 1, 255, 255]


@pytest.mark.parametrize(("height", "width"), [(12, 14), (11, 14), (12, 13), (11, 13)])
def test_odd_sides_are_padded_by_their_edge_and_cropped_again(height: int, width: int) -> None:
    net = Net(1.5, "rgb", size_multiple=2)
    lr = _photo(height, width)
    sr = upscaler(net)(lr)
    assert sr.shape == (-(-3 * height // 2), -(-3 * width // 2), 3)
    fed = net.seen[0][0]
    assert fed.shape[-2] % 2 == fed.shape[-1] % 2 == 0
    assert np.array_equal((fed[0] * 255).round().byte().permute(1, 2, 0)[-1, -1], lr[-1, -1])


def test_a_y_net_sees_luma_and_keeps_colours_by_bicubic() -> None:
    lr = imresize(_photo(6, 7), 4)  # smooth, so that little is clipped
    net = Net(2, "y")
    upscaler(net)(lr)
    expected = rgb_to_y(torch.from_numpy(lr).permute(2, 0, 1)[None] / 255)
    torch.testing.assert_close(net.seen[0][0], expected, atol=1e-6, rtol=0)
    # A Y net that is bicubic must give what bicubic of R, G and B gives, for both are linear.
    ours, plain = upscaler(CubicY(2, "y"))(lr), np.floor(imresize(lr.astype(np.float64), 2) + 0.5).clip(0, 255)
    assert np.abs(ours.astype(int) - plain).max() <= 1
    assert (ours != plain).mean() < 1e-3


def test_luma_alone_is_not_rounded_before_the_net() -> None:
    y = np.random.default_rng(0).random((8, 9)) * 219 + 16
    expected = np.floor(imresize(y, 3) + 0.5).clip(0, 255)
    for net in (CubicY(3, "y"), Untrained(3)):
        sr = upscaler(net).luma(y)
        assert sr.dtype == np.uint8
        assert (sr != expected).mean() < 0.01 and np.abs(sr - expected).max() <= 1


class Untrained(nn.Module):
    """Bicubic without a weight."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale, self.color, self.size_multiple = scale, "rgb", 1

    def forward(self, lr: Tensor) -> Tensor:
        return bicubic(lr, self.scale)


def test_the_net_runs_in_evaluation_mode_without_gradients_and_is_restored() -> None:
    net = Net(2, "rgb")
    net.train()
    net.frozen.eval()
    upscaler(net)(_photo())
    lr, training, grad = net.seen[0]
    assert not training and not grad
    assert lr.is_contiguous(memory_format=torch.channels_last)
    assert net.training and not net.frozen.training and not net.frozen[0].training

    def fail(lr: Tensor) -> Tensor:
        raise RuntimeError("no memory")

    net.forward = fail
    with pytest.raises(RuntimeError, match="no memory"):
        upscaler(net)(_photo())
    assert net.training and not net.frozen.training


def test_a_net_in_bf16_autocast_is_still_evaluated_in_fp32() -> None:
    class Conv(Net):
        def __init__(self) -> None:
            super().__init__(1, "rgb")
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, lr: Tensor) -> Tensor:
            result = self.conv(lr)
            assert result.dtype == torch.float32
            return result

    with torch.autocast("cpu", dtype=torch.bfloat16):
        upscaler(Conv())(_photo())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_works_where_the_net_is() -> None:
    for color in ("rgb", "y"):
        expected = upscaler(CubicY(2, color))(_photo())
        ours = upscaler(CubicY(2, color).cuda())(_photo())
        assert np.abs(ours.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("color", "channels"), [("rgb", 3), ("y", 1)])
def test_training_sees_what_evaluation_feeds(color: str, channels: int) -> None:
    net = Net(2, color)
    images = torch.from_numpy(_photo()).permute(2, 0, 1)[None]
    fed = to_network(images, net)
    assert fed.shape == (1, channels, 12, 14) and fed.is_contiguous(memory_format=torch.channels_last)
    upscaler(net)(_photo())
    torch.testing.assert_close(fed, net.seen[0][0], atol=1e-6, rtol=0)


def test_refuses_what_it_cannot_upscale() -> None:
    upscale = upscaler(Net(2, "rgb"))
    with pytest.raises(ValueError, match=r"of type uint8 or uint16, got \(12, 14, 3\) of float64"):
        upscale(_photo() / 255)
    with pytest.raises(ValueError, match=r"got \(12, 14\) of uint8"):
        upscale(_photo()[..., 0])
    with pytest.raises(ValueError, match="cannot upscale luma alone; use protocol=y"):
        upscale.luma(_photo()[..., 0] * 1.0)
    with pytest.raises(ValueError, match="color of a net must be 'rgb' or 'y', got 'yuv'"):
        Upscaler(lambda lr: lr, color="yuv", scale=2)
    with pytest.raises(ValueError, match=r"returned \(1, 3, 12, 14\) for \(1, 3, 12, 14\); x2 needs \(1, 3, 24, 28\)"):
        Upscaler(lambda lr: lr, color="rgb", scale=2)(_photo())
    with pytest.raises(ValueError, match="not finite; the net that made them has diverged"):
        Upscaler(lambda lr: lr * float("nan"), color="rgb", scale=1)(_photo())
