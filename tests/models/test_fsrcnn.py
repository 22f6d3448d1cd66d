import math

import pytest
import torch
from torch import Tensor, nn

from sr.models.fsrcnn import FSRCNN, SUB_PIXEL_KERNEL


def build(**changes: object) -> FSRCNN:
    settings = {"d": 56, "s": 12, "m": 4, "scale": 2, "color": "y", "activation": "prelu", "upscaling": "deconvolution"}
    torch.manual_seed(0)
    return FSRCNN(**{**settings, "overparameterize": "none", **changes})


def convolutions(net: nn.Module) -> list[nn.Module]:
    return [layer for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]


@pytest.mark.parametrize(("d", "s", "m", "weights"), [(56, 12, 4, 12_464), (32, 5, 1, 3_937)])
def test_published_weight_counts(d: int, s: int, m: int, weights: int) -> None:
    # The paper counts weights only. FSRCNN-s: 800 + 160 + 225 + 160 + 2592 = 3937.
    net = build(d=d, s=s, m=m)
    assert sum(layer.weight.numel() for layer in convolutions(net)) == weights
    slopes = [layer.weight.numel() for layer in net.modules() if isinstance(layer, nn.PReLU)]
    assert slopes == [d, s, *[s] * m, d]


def test_starts_as_in_the_paper() -> None:
    *body, last = convolutions(build(d=200, s=60))
    for layer in body:
        wanted = math.sqrt(2 / (layer.out_channels * layer.kernel_size[0] ** 2))
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.1)
    assert last.weight.std().item() == pytest.approx(0.001, rel=0.1)
    assert all(not layer.bias.any() for layer in [*body, last])


def phases(weight: Tensor, scale: int) -> Tensor:
    """The sub-pixel kernels (s*s, d, k, k) that do what a deconvolution (d, 1, 9, 9) of stride s and padding 4 does.

    sr pixel s*q + r gets lr pixel q - i through tap s*i + r + 4 of the deconvolution; in a convolution padded by k // 2
    that pixel is under tap k // 2 - i.
    """
    size = SUB_PIXEL_KERNEL[scale]
    out = torch.zeros(scale, scale, weight.shape[0], size, size)
    half = size // 2
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            for row in range(scale):
                for column in range(scale):
                    y, x = scale * i + row + 4, scale * j + column + 4
                    if 0 <= y < 9 and 0 <= x < 9:
                        out[row, column, :, half - i, half - j] = weight[:, 0, y, x]
    return out.flatten(0, 1)


@pytest.mark.parametrize("scale", [2, 3, 4])
@torch.no_grad()
def test_sub_pixel_variant_can_hold_the_deconvolution_exactly(scale: int) -> None:
    paper, ours = build(scale=scale), build(scale=scale, upscaling="sub_pixel")
    ours.load_state_dict({k: v for k, v in paper.state_dict().items() if "upscale" not in k}, strict=False)
    ours.upscale[0].weight.copy_(phases(paper.upscale[0].weight, scale))
    paper.upscale[0].bias.fill_(0.1)
    ours.upscale[0].bias.fill_(0.1)
    lr = torch.rand(1, 1, 9, 11)
    torch.testing.assert_close(ours(lr), paper(lr), atol=1e-6, rtol=0)


def test_hexagon_variant_has_no_deconvolution_and_no_prelu() -> None:
    net = build(color="rgb", activation="relu", upscaling="sub_pixel")
    kinds = {type(module) for module in net.modules() if not list(module.children())}
    assert kinds == {nn.Conv2d, nn.ReLU, nn.PixelShuffle}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1.5}, r"FSRCNN cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"d": 0}, r"FSRCNN needs d to be an integer of at least 1, got 0"),
        ({"color": "yuv"}, r"FSRCNN does not know color='yuv'"),
        ({"activation": "tanh"}, r"FSRCNN does not know activation='tanh': choose one of prelu, relu"),
        ({"upscaling": "bicubic"}, r"FSRCNN does not know upscaling='bicubic'"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)
