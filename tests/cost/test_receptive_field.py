"""The measured receptive field against fields worked out from kernel sizes and strides."""

import pytest
import torch
from torch import Tensor, nn

from sr.cost.receptive_field import receptive_field


def chain(*kernels: int) -> list[nn.Module]:
    return [nn.Conv2d(3, 3, kernel, padding=kernel // 2) for kernel in kernels]


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [((1,), 1), ((3,), 3), ((3, 3, 3, 3), 9), ((5, 3, 3, 5), 13), ((3,) * 20, 41)],
)
def test_a_chain_of_convolutions_sees_one_plus_the_sum_of_kernel_minus_one(
    kernels: tuple[int, ...], expected: int
) -> None:
    assert receptive_field(nn.Sequential(*chain(*kernels))) == expected


def test_weights_of_zero_and_clipped_activations_do_not_hide_a_dependence() -> None:
    net = nn.Sequential(*chain(3), nn.Hardtanh(0, 1), *chain(3), nn.PReLU(), nn.MaxPool2d(3, 1, 1), nn.Sigmoid())
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    assert receptive_field(net) == 7
    assert all(torch.equal(parameter, torch.zeros_like(parameter)) for parameter in net.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())


def test_upscaling_by_depth_to_space_is_measured_in_lr_pixels() -> None:
    net = nn.Sequential(*chain(3), nn.Conv2d(3, 27, 3, padding=1), nn.PixelShuffle(3))
    net.scale = 3
    assert receptive_field(net) == 5


def test_a_deconvolution_takes_its_widest_output() -> None:
    # kernel 9, stride 2: an output pixel lies under 4 or 5 input pixels
    net = nn.Sequential(nn.ConvTranspose2d(3, 3, 9, stride=2, padding=4, output_padding=1))
    net.scale = 2
    assert receptive_field(net) == 5


def test_space_to_depth_of_the_one_and_a_half_scale() -> None:
    # 3x3 at full size, then 1x1 over blocks of 2x2: every output of a block sees the block and one pixel around it
    net = nn.Sequential(*chain(3), nn.PixelUnshuffle(2), nn.Conv2d(12, 27, 1), nn.PixelShuffle(3))
    net.scale, net.size_multiple = 1.5, 2
    assert receptive_field(net) == 4


def test_a_net_that_sees_everything_has_no_number() -> None:
    class Gate(nn.Module):
        def forward(self, lr: Tensor) -> Tensor:
            return lr * lr.mean(dim=(2, 3), keepdim=True)

    assert receptive_field(Gate()) is None


def test_a_luma_net_is_probed_with_one_channel() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.PixelShuffle(2))
    net.color, net.scale = "y", 2
    assert receptive_field(net) == 5
