"""Scale, colour and size multiple of a net from elsewhere, found by test passes."""

import copy

import pytest
import torch
from torch import Tensor, nn

from sr.api.foreign import adopt, describe, refuse_nan, wrapped
from sr.models.espcn import ESPCN
from tests.api.foreign_net import Foreign


@pytest.mark.parametrize("channels, color", [(3, "rgb"), (1, "y")])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_scale_and_colour_are_found(channels: int, color: str, scale: int) -> None:
    found = adopt(Foreign(channels=channels, scale=scale), scale=scale)
    assert (found.scale, found.color, found.size_multiple, type(found).__name__) == (scale, color, 1, "Foreign")


def test_the_multiple_of_the_sides_is_found() -> None:
    layers = (nn.PixelUnshuffle(2), nn.Conv2d(12, 27, 3, padding=1), nn.PixelShuffle(3))
    assert describe(nn.Sequential(*layers)) == {"scale": 1.5, "color": "rgb", "size_multiple": 2}


def test_the_net_is_copied_and_computes_the_same(foreign: Foreign) -> None:
    before, lr = copy.deepcopy(foreign.state_dict()), torch.rand(1, 3, 9, 7)
    found = adopt(foreign.train())
    assert foreign.training and not found.training
    assert torch.equal(found(lr), foreign(lr)) and torch.equal(wrapped(foreign)(lr), foreign(lr))
    assert all(torch.equal(value, before[name]) for name, value in foreign.state_dict().items())
    assert torch.equal(copy.deepcopy(found)(lr), foreign(lr))


def test_the_output_is_clipped_where_the_net_does_not_clip(foreign: Foreign) -> None:
    layers = (nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    found, lr = adopt(nn.Sequential(*layers)), torch.rand(1, 3, 8, 8)
    assert torch.equal(found(lr), nn.Sequential(*layers)(lr).clamp(0, 1)) and found(lr).min() == 0
    assert len([each for each in adopt(foreign).modules() if isinstance(each, nn.Hardtanh)]) == 1


def test_a_net_of_the_package_stays_its_own_kind() -> None:
    net = ESPCN(scale=3, color="y", activation="relu", overparameterize="none")
    assert type(adopt(net)) is ESPCN and adopt(net).scale == 3


@pytest.mark.parametrize(
    "net, message",
    [
        (nn.Conv2d(3, 3, 3, padding=1), r"makes \(1, 3, 48, 48\) of \(1, 3, 48, 48\)"),
        (nn.Sequential(nn.Conv2d(3, 12, 3), nn.PixelShuffle(2)), r"makes \(1, 3, 92, 92\)"),
        (nn.Conv2d(7, 3, 3), "takes neither RGB nor luma images"),
    ],
)
def test_other_sizes_are_refused(net: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adopt(net)


def test_another_scale_than_asked_for_is_refused(foreign: Foreign) -> None:
    with pytest.raises(ValueError, match=r"Foreign upscales by 2, not by the scale=4 asked for"):
        adopt(foreign, scale=4)


def test_weights_that_are_not_numbers_are_named(foreign: Foreign) -> None:
    with torch.no_grad():
        foreign.get_parameter("body.bias")[0] = float("nan")
    with pytest.raises(ValueError, match=r"body.bias of Foreign holds values that are not numbers"):
        refuse_nan(foreign)


def test_a_net_that_returns_more_than_the_image_is_refused() -> None:
    class Both(Foreign):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return super().forward(x), x

    with pytest.raises(ValueError, match="returns a tuple; it must return the image alone"):
        adopt(Both())


def test_a_forward_that_depends_on_more_than_the_image_is_refused() -> None:
    class Counted(Foreign):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            type(self).calls += 1
            return super().forward(x) * float(type(self).calls)

    with pytest.raises(ValueError, match="depends on more than the image"):
        adopt(Counted())
