"""SESR: published sizes, both forward forms, the collapsed net, its variants, and the speed of collapsed training."""

import pytest
import torch
from torch import Tensor, nn

from sr.models.collapsible import CollapsibleConv, set_forward_form
from sr.models.sesr import SESR

PAPER = {
    "scale": 2,
    "color": "y",
    "f": 16,
    "m": 3,
    "expansion": 32,
    "expand_bias": True,
    "activation": "prelu",
    "head_activation": False,
    "input_shift": 0.5,
    "forward_form": "collapsed",
}
ZOO = PAPER | {"color": "rgb", "activation": "relu", "head_activation": True, "input_shift": 0.0, "expand_bias": False}


def sesr(**changes: object) -> SESR:
    """A net off its start, so that zero biases and slopes cannot hide a mistake."""
    torch.manual_seed(0)
    net = SESR(**(PAPER | changes))
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn_like(parameter)
    return net


def image(net: SESR, dtype: torch.dtype = torch.float32) -> Tensor:
    channels = 1 if net.color == "y" else 3
    return torch.rand(2, channels, 11, 13, dtype=dtype, generator=torch.Generator().manual_seed(1))


def weights_of_convs(net: nn.Module) -> int:
    """Weights of the trained convolutions: the papers count no biases, slopes and copies of the input."""
    return sum(m.weight.numel() for m in net.modules() if isinstance(m, nn.Conv2d) and m.weight.requires_grad)


@pytest.mark.parametrize(
    ("f", "m", "scale", "published"),
    [
        (16, 3, 2, 8_912),
        (16, 5, 2, 13_520),
        (16, 7, 2, 18_128),
        (16, 11, 2, 27_344),
        (32, 11, 2, 105_376),
        (16, 5, 4, 18_320),
    ],
)
def test_published_parameter_counts(f: int, m: int, scale: int, published: int) -> None:
    assert weights_of_convs(SESR(**(PAPER | {"f": f, "m": m, "scale": scale})).collapse()) == published


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("variant", [PAPER, ZOO], ids=["paper", "zoo"])
@pytest.mark.parametrize("scale", [2, 4])
def test_three_forms_are_one_function(dtype: torch.dtype, tolerance: float, variant: dict, scale: int) -> None:
    net = sesr(**(variant | {"scale": scale})).to(dtype)
    lr = image(net, dtype)
    collapsed = net(lr)
    set_forward_form(net, "expanded")
    assert (net(lr) - collapsed).abs().max().item() <= tolerance
    assert (net.collapse()(lr) - collapsed).abs().max().item() <= tolerance
    inside = (collapsed > 0) & (collapsed < 1)
    assert inside.float().mean() > 0.2, "a clipped image proves nothing"


def test_both_forms_give_the_expanded_weights_the_same_gradients() -> None:
    net = sesr().double()
    lr = image(net, torch.float64)
    params = [parameter for parameter in net.parameters() if parameter.requires_grad]
    gradients = {}
    for form in ("collapsed", "expanded"):
        set_forward_form(net, form)
        gradients[form] = torch.autograd.grad(net(lr).square().mean(), params)
    for got, want in zip(gradients["collapsed"], gradients["expanded"], strict=True):
        torch.testing.assert_close(got, want)
        assert want.any()


def test_collapsed_net_is_plain_and_shares_nothing() -> None:
    net = sesr(scale=4)
    plain = net.collapse()
    assert type(plain) is SESR
    assert not any(isinstance(module, CollapsibleConv) for module in plain.modules())
    assert sum(isinstance(module, nn.PixelShuffle) for module in plain.modules()) == 1
    assert all(module.bias is not None for module in plain.modules() if isinstance(module, nn.Conv2d))
    lr = image(net)
    before = net(lr)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.zero_()
    assert torch.equal(net(lr), before)


def test_collapsing_twice_changes_nothing() -> None:
    net = sesr(scale=4).collapse()
    assert torch.equal(net.collapse()(image(net)), net(image(net)))


def test_expanded_net_is_a_stack_of_ordinary_convolutions() -> None:
    """Against the net written out by hand: 5x5 expand, 1x1 squeeze, skips, activation, depth-to-space."""
    net = sesr(m=1, forward_form="expanded")
    lr = image(net)
    first, block, last = (m.branches[0] for m in net.modules() if isinstance(m, CollapsibleConv))
    features = first.squeeze(first.expand(lr - 0.5))
    body = nn.functional.prelu(block.squeeze(block.expand(features)) + features, net.body[1].weight)
    out = last.squeeze(last.expand(body + features)) + lr
    torch.testing.assert_close(net(lr), nn.functional.pixel_shuffle(out.clamp(0, 1), 2))


def test_silent_net_upscales_by_nearest_neighbour() -> None:
    for variant in (PAPER | {"scale": 4}, ZOO | {"scale": 3}):
        net = SESR(**variant)
        with torch.no_grad():
            net.conv_last.branches[0].squeeze.weight.zero_()
        want = nn.functional.interpolate(image(net), scale_factor=variant["scale"], mode="nearest")
        torch.testing.assert_close(net(image(net)), want)
        torch.testing.assert_close(net.collapse()(image(net)), want)


def test_bf16_autocast_trains() -> None:
    net = sesr()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sr = net(image(net))
    assert (sr.float() - net(image(net))).abs().max() < 0.05
    sr.float().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters() if p.requires_grad)


@pytest.mark.parametrize(("color", "scale"), [("y", 3), ("y", 1.5), ("rgb", 1.5)])
def test_scale_that_it_cannot_do(color: str, scale: float) -> None:
    with pytest.raises(ValueError, match=f"SESR with color={color} cannot upscale by {scale}"):
        SESR(**(PAPER | {"color": color, "scale": scale}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"color": "rgba"}, "color='rgba'"),
        ({"activation": "relu1"}, "activation='relu1'"),
        ({"forward_form": "both"}, "forward_form='both'"),
        ({"m": 0}, "m to be an integer of at least 1, got 0"),
    ],
)
def test_words_and_counts_that_it_does_not_know(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SESR(**(PAPER | change))
