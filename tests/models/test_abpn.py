"""ABPN: published sizes, the anchor, the switches of QuickSRNet's table 1."""

import pytest
import torch
from torch import Tensor, nn

from sr.models.abpn import ABPN
from sr.models.collapsible import CollapsibleConv

PAPER = {
    "scale": 3,
    "f": 28,
    "m": 5,
    "image_space_conv": False,
    "anchor": True,
    "activation": "relu",
    "init": "random",
    "overparameterize": "none",
}
CHALLENGE = PAPER | {"m": 4, "image_space_conv": True}


def abpn(**changes: object) -> ABPN:
    torch.manual_seed(0)
    return ABPN(**(PAPER | changes))


def image() -> Tensor:
    return torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(1))


def nearest(scale: int) -> Tensor:
    return nn.functional.interpolate(image(), scale_factor=scale, mode="nearest")


def silence(net: ABPN) -> ABPN:
    """Take the noise of the random start out of every convolution, so that only ones added by `init` are left."""
    with torch.no_grad():
        for layer in net.cnn:
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(layer.weight.round())  # the noise stays below 0.2
                layer.bias.zero_()
    return net


@pytest.mark.parametrize(
    ("variant", "published"),
    [(PAPER, 43_035), (CHALLENGE, 42_539), (CHALLENGE | {"f": 32}, 52_279)],
    ids=["paper", "challenge", "ncnet"],
)
def test_published_parameter_counts(variant: dict, published: int) -> None:
    net = ABPN(**variant)
    assert sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad) == published


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("variant", [PAPER, CHALLENGE], ids=["paper", "challenge"])
def test_silent_net_upscales_by_nearest_neighbour(scale: int, variant: dict) -> None:
    net = silence(abpn(**(variant | {"scale": scale})))
    torch.testing.assert_close(net(image()), nearest(scale))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("variant", [PAPER, CHALLENGE], ids=["paper", "challenge"])
@pytest.mark.parametrize("f", [12, 27, 28, 48])
def test_identity_initialisation_replaces_the_residual(scale: int, variant: dict, f: int) -> None:
    tricks = {"scale": scale, "f": f, "anchor": False, "init": "identity", "activation": "relu1"}
    net = silence(abpn(**(variant | tricks)))
    torch.testing.assert_close(net(image()), nearest(scale))


def test_identity_initialisation_keeps_the_random_start() -> None:
    torch.manual_seed(0)
    random = ABPN(**(PAPER | {"anchor": False}))
    torch.manual_seed(0)
    identity = ABPN(**(PAPER | {"anchor": False, "init": "identity"}))
    first = identity.cnn[0].weight - random.cnn[0].weight
    assert torch.equal(first[:, :, 1, 1].round(), torch.eye(28, 3))
    torch.testing.assert_close(first[0, 0, 1, 1].item(), 1.0)
    assert torch.equal(first[3:], torch.zeros_like(first[3:]))


def test_residual_free_net_has_neither_anchor_nor_addition() -> None:
    net = abpn(anchor=False)
    assert net.anchor is None
    assert not any(type(module).__name__ in ("Add", "Anchor") for module in net.modules())


def test_anchor_stays_while_the_net_learns() -> None:
    net = abpn()
    frozen = net.anchor.net.weight.clone()
    optimizer = torch.optim.Adam([parameter for parameter in net.parameters() if parameter.requires_grad], lr=0.1)
    net(image()).mean().backward()
    optimizer.step()
    assert torch.equal(net.anchor.net.weight, frozen)


def test_output_is_clipped() -> None:
    net = abpn()
    with torch.no_grad():
        net.cnn[-1].bias.copy_(torch.linspace(-2, 2, 27))
    sr = net(image())
    assert sr.min() == 0
    assert sr.max() == 1


@pytest.mark.parametrize("kind", ["sesr", "repsr", "ecb"])
def test_overparameterized_net_starts_as_and_returns_to_the_plain_one(kind: str) -> None:
    plain = abpn(init="identity")
    net = abpn(init="identity", overparameterize=kind)
    torch.testing.assert_close(net(image()), plain(image()), atol=1e-5, rtol=0)
    collapsed = net.collapse()
    assert not any(isinstance(module, CollapsibleConv) for module in collapsed.modules())
    assert {key: value.shape for key, value in collapsed.state_dict().items()} == {
        key: value.shape for key, value in plain.state_dict().items()
    }
    torch.testing.assert_close(collapsed(image()), net(image()), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 1.5}, "ABPN cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"activation": "prelu"}, "activation='prelu'"),
        ({"init": "zero"}, "init='zero'"),
        ({"f": 2}, "f to be an integer of at least 3, got 2"),
        ({"overparameterize": "bn"}, "overparameterize='bn'"),
    ],
)
def test_what_it_does_not_know(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ABPN(**(PAPER | change))
