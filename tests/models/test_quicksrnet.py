import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.models.quicksrnet import QuickSRNet, StridedQuickSRNet

SETTINGS = {
    "f": 32,
    "m": 2,
    "scale": 2,
    "activation": "relu1",
    "init": "identity",
    "identity_x1_5": "fixed",
    "residual": "none",
    "upscaling": "space_to_depth",
    "overparameterize": "none",
}

# (f, m) -> parameters at x2, x3, x4 of the released code; the small net's x1.5 has 22,875.
# x1.5: 4f * 27 + 27 for the last convolution instead of 27 * 9f + 27 of x3, that is 27 * 5f fewer.
PARAMETERS = {
    (32, 1): (13_612, 17_947, 24_016),
    (32, 2): (22_860, 27_195, 33_264),
    (32, 3): (32_108, 36_443, 42_512),
    (32, 5): (50_604, 54_939, 61_008),
    (32, 7): (69_100, 73_435, 79_504),
    (32, 11): (106_092, 110_427, 116_496),
}


def build(**changes: object) -> QuickSRNet:
    torch.manual_seed(0)
    return QuickSRNet(**{**SETTINGS, **changes}).eval()


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@torch.no_grad()
def bare_identity(**changes: object) -> QuickSRNet:
    """What the identity initialisation adds to the random start, alone: the difference of both, biases 0."""
    net, start = build(**changes), build(**{**changes, "init": "random"})
    for key, parameter in net.named_parameters():
        if not key.startswith("anchor"):
            parameter -= start.get_parameter(key)
            parameter.copy_(parameter.round())
    return net


def smooth_image() -> Tensor:
    return F.interpolate(
        torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(0)), size=(24, 24), mode="bicubic"
    )


def nearest(lr: Tensor, scale: float) -> Tensor:
    return F.interpolate(lr, scale_factor=scale, mode="nearest")


@pytest.mark.parametrize("spec", PARAMETERS)
def test_published_parameter_counts(spec: tuple[int, int]) -> None:
    f, m = spec
    counts = [count(build(f=f, m=m, scale=scale)) for scale in (2, 3, 4)]
    assert tuple(counts) == PARAMETERS[spec]
    assert count(build(f=f, m=m, scale=1.5)) == PARAMETERS[spec][1] - 27 * 5 * f
    assert count(build(f=f, m=m, scale=1.5, upscaling="average_pool")) == PARAMETERS[spec][1]


def test_published_parameter_counts_of_the_released_small_and_large() -> None:
    assert count(build(scale=1.5)) == 22_875
    large = {scale: count(build(f=64, m=11, scale=scale, residual="input_to_output")) for scale in (2, 3, 4, 1.5)}
    # x1.5: 1,792 + 11 * 36,928 + (256 * 27 + 27) + (27 * 27 + 27) for the strided residual
    assert large == {2: 414_972, 3: 423_687, 4: 435_888, 1.5: 415_695}


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_identity_adds_exactly_nearest_neighbour_upscaling(scale: float) -> None:
    lr = torch.rand(2, 3, 6, 8)
    assert torch.equal(bare_identity(scale=scale, m=3)(lr), nearest(lr, scale))


def test_identity_of_the_naive_x1_5_averages_nearest_x3() -> None:
    lr = torch.rand(1, 3, 6, 8)
    sr = bare_identity(scale=1.5, upscaling="average_pool")(lr)
    torch.testing.assert_close(sr, F.avg_pool2d(nearest(lr, 3), 2))


def test_reference_identity_of_x1_5_is_made_of_red() -> None:
    lr = torch.rand(1, 3, 6, 8)
    sr = bare_identity(scale=1.5, identity_x1_5="reference")(lr)
    for channel, (row, column) in enumerate([(0, 0), (0, 1), (1, 0)]):
        assert torch.equal(sr[:, channel], nearest(lr[:, :1, row::2, column::2], 3)[:, 0])


def similarity(sr: Tensor, other: Tensor, block: int) -> float:
    """Mean correlation of two images (1, 3, H, W), each colour and each place in a block by itself."""
    a, b = (F.pixel_unshuffle(image, block).flatten(2)[0] for image in (sr, other))
    return F.cosine_similarity(a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)).mean().item()


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
@torch.no_grad()
def test_at_the_start_the_net_is_nearest_neighbour_plus_noise(scale: float) -> None:
    lr = smooth_image()
    wanted, block = nearest(lr, scale), 3 if scale == 1.5 else int(scale)
    assert similarity(build(scale=scale)(lr), wanted, block) > 0.6
    assert abs(similarity(build(scale=scale, init="random")(lr), wanted, block)) < 0.2


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
@torch.no_grad()
def test_residual_starts_as_nearest_neighbour(scale: float) -> None:
    for residual in ("input_to_output", "nearest"):
        net = build(scale=scale, residual=residual)
        net.conv_last.weight.zero_()
        net.conv_last.bias.zero_()
        assert torch.equal(net(lr := torch.rand(1, 3, 6, 8)), nearest(lr, scale))
        assert net.anchor is None or all(parameter.requires_grad for parameter in net.anchor.parameters())


@torch.no_grad()
def test_reference_residual_of_x1_5_copies_the_first_of_four_pixels() -> None:
    net = build(scale=1.5, identity_x1_5="reference", residual="input_to_output")
    lr = torch.rand(1, 3, 6, 8)
    assert torch.equal(nn.PixelShuffle(3)(net.anchor(lr)), nearest(lr[:, :, ::2, ::2], 3))


def test_with_a_residual_the_last_convolution_gets_no_identity() -> None:
    assert bare_identity(residual="input_to_output").conv_last.weight.count_nonzero() == 0
    assert bare_identity().conv_last.weight.count_nonzero() == 12


@torch.no_grad()
def test_against_the_formula_written_out() -> None:
    net = build(scale=3, m=1, f=8, residual="input_to_output")
    weights = net.state_dict()
    lr = torch.rand(1, 3, 5, 7)
    x = F.conv2d(lr, weights["cnn.0.weight"], weights["cnn.0.bias"], padding=1).clamp(0, 1)
    x = F.conv2d(x, weights["cnn.2.weight"], weights["cnn.2.bias"], padding=1).clamp(0, 1)
    x = F.conv2d(x, weights["conv_last.weight"], weights["conv_last.bias"], padding=1)
    x = x + F.conv2d(lr, weights["anchor.net.weight"], weights["anchor.net.bias"])
    torch.testing.assert_close(net(lr), F.pixel_shuffle(x, 3).clamp(0, 1))


def test_weights_are_named_as_in_the_model_zoo() -> None:
    keys = build(m=1, residual="input_to_output").state_dict().keys()
    assert list(keys) == [
        f"{layer}.{kind}" for layer in ("cnn.0", "cnn.2", "conv_last", "anchor.net") for kind in ("weight", "bias")
    ]


def test_x1_5_works_at_half_of_the_resolution_with_a_1x1_convolution() -> None:
    net = build(scale=1.5)
    assert (net.conv_last.in_channels, net.conv_last.out_channels, net.conv_last.kernel_size) == (128, 27, (1, 1))
    assert (net.space_to_depth.downscale_factor, net.depth_to_space.upscale_factor) == (2, 3)


@pytest.mark.parametrize("name", ["relu1", "relu"])
def test_activations_are_separate_and_the_output_is_clipped(name: str) -> None:
    net = build(activation=name, m=3)
    kinds = [type(layer) for layer in net.cnn[1::2]]
    assert kinds == 4 * [nn.Hardtanh if name == "relu1" else nn.ReLU]
    sr = net(4 * torch.rand(1, 3, 8, 8) - 2)
    assert sr.min() >= 0 and sr.max() <= 1


@pytest.mark.parametrize("kind", ["sesr", "repsr", "ecb"])
def test_overparameterized_net_starts_as_the_plain_one(kind: str) -> None:
    lr = torch.rand(1, 3, 6, 8)
    with torch.no_grad():
        torch.testing.assert_close(build(overparameterize=kind)(lr), build()(lr), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 2.5}, r"QuickSRNet cannot upscale by 2.5: its scales are 1.5, 2, 3, 4"),
        ({"f": 2}, r"f to be an integer of at least 3, got 2"),
        ({"m": -1}, r"m to be an integer of at least 0, got -1"),
        ({"activation": "prelu"}, r"activation='prelu': choose one of relu1, relu"),
        ({"init": "zeros"}, r"init='zeros': choose one of identity, random"),
        ({"identity_x1_5": "new"}, r"identity_x1_5='new': choose one of fixed, reference"),
        ({"residual": "all"}, r"residual='all': choose one of none, input_to_output, nearest"),
        ({"upscaling": "bilinear"}, r"upscaling='bilinear': choose one of space_to_depth, average_pool"),
        ({"upscaling": "average_pool"}, r"averages only at scale 1.5, got scale 2"),
        ({"overparameterize": "more"}, r"overparameterize='more'"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)


STRIDED = {key: SETTINGS[key] for key in ("f", "m", "scale", "activation", "init", "overparameterize")}


def strided(**changes: object) -> StridedQuickSRNet:
    torch.manual_seed(0)
    return StridedQuickSRNet(**{**STRIDED, **changes}).eval()


def test_parameter_counts_of_the_strided_tail() -> None:
    assert [count(strided(m=3, scale=scale)) for scale in (2, 3, 4)] == [34_832, 42_572, 53_408]


@pytest.mark.parametrize("scale", [2, 3, 4])
@torch.no_grad()
def test_identity_of_the_strided_tail_is_exactly_nearest_neighbour_upscaling(scale: int) -> None:
    net, start = strided(scale=scale, f=8), strided(scale=scale, f=8, init="random")
    for parameter, random in zip(net.parameters(), start.parameters(), strict=True):
        parameter.copy_((parameter - random).round())
    assert torch.equal(net(lr := torch.rand(2, 3, 6, 8)), nearest(lr, scale))
    assert similarity(strided(scale=scale)(smooth_image()), nearest(smooth_image(), scale), 2 * scale) > 0.6


@torch.no_grad()
def test_the_strided_tail_can_compute_what_a_1x1_tail_computes() -> None:
    net, tail, lr = strided(f=8), nn.Conv2d(8, 12, 1), torch.rand(1, 3, 6, 8)
    index = torch.arange(48)
    row, column = index // 4 % 4, index % 4
    source = 4 * (index // 16) + 2 * (row % 2) + column % 2
    net.conv_last.weight.zero_()
    net.conv_last.weight[index, :, row // 2, column // 2] = tail.weight[source, :, 0, 0]
    net.conv_last.bias.copy_(tail.bias[source])
    torch.testing.assert_close(net(lr), F.pixel_shuffle(tail(net.cnn(lr)).clamp(0, 1), 2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["sesr", "repsr", "ecb"])
@torch.no_grad()
def test_the_strided_tail_stays_plain_when_the_net_is_overparameterized(kind: str) -> None:
    net, lr = strided(overparameterize=kind), torch.rand(1, 3, 6, 8)
    assert type(net.conv_last) is nn.Conv2d and type(net.cnn[2]) is not nn.Conv2d
    torch.testing.assert_close(net(lr), strided()(lr), atol=1e-5, rtol=0)
    torch.testing.assert_close(net.collapse()(lr), net(lr), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1.5}, r"StridedQuickSRNet cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"f": 2}, r"StridedQuickSRNet needs f to be an integer of at least 3, got 2"),
        ({"activation": "prelu"}, r"activation='prelu': choose one of relu1, relu"),
        ({"init": "zeros"}, r"init='zeros': choose one of identity, random"),
    ],
)
def test_wrong_arguments_of_the_strided_net_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strided(**changes)
