import pytest
import torch
from torch import nn

from sr.models.blocks import (
    Add,
    Anchor,
    Concat,
    activation,
    check_choice,
    check_count,
    check_scale,
    clip,
    conv,
    inference_form,
)


def test_add_and_concat() -> None:
    a, b = torch.ones(1, 2, 3, 3), torch.full((1, 2, 3, 3), 2.0)
    assert Add()(a, b).unique().item() == 3
    assert Concat()(a, b, a).shape == (1, 6, 3, 3)


@pytest.mark.parametrize("block", [2, 3, 4])
def test_anchor_in_front_of_depth_to_space_is_nearest_neighbour(block: int) -> None:
    image = torch.rand(1, 3, 4, 5)
    anchor = Anchor(channels=3, block=block, learnable=False)
    expected = nn.Upsample(scale_factor=block, mode="nearest")(image)
    assert torch.equal(nn.PixelShuffle(block)(anchor(image)), expected)
    assert not any(parameter.requires_grad for parameter in anchor.parameters())
    assert all(p.requires_grad for p in Anchor(channels=1, block=block, learnable=True).parameters())


def test_activations() -> None:
    x = torch.tensor([-1.0, 0.5, 2.0]).view(1, 1, 1, 3)
    got = {name: activation("net", name, 1)(x).flatten().tolist() for name in ("relu", "relu1", "prelu")}
    assert got == {"relu": [0, 0.5, 2], "relu1": [0, 0.5, 1], "prelu": [-0.25, 0.5, 2]}
    assert torch.equal(activation("net", "tanh", 1)(x), x.tanh())
    prelu = activation("net", "prelu", 7)
    assert isinstance(prelu, nn.PReLU) and prelu.num_parameters == 7
    with pytest.raises(ValueError, match=r"net does not know activation='gelu': choose one of relu, relu1"):
        activation("net", "gelu", 1)


def test_clip_is_the_class_that_quantizers_look_for() -> None:
    assert (type(clip()), clip().min_val, clip().max_val) == (nn.Hardtanh, 0.0, 1.0)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_conv_keeps_the_size(kernel_size: int) -> None:
    assert conv(4, 6, kernel_size, groups=2)(torch.rand(1, 4, 7, 8)).shape == (1, 6, 7, 8)
    assert conv(4, 6, kernel_size, bias=False).bias is None


def test_checks_say_what_is_allowed() -> None:
    scale = check_scale("Net", 2.0, (2, 3))
    assert scale == 2 and isinstance(scale, int)
    assert check_scale("Net", 1.5, (1.5, 2)) == 1.5
    with pytest.raises(ValueError, match=r"Net cannot upscale by 1.5: its scales are 2, 3\. Set `scale`"):
        check_scale("Net", 1.5, (2, 3))
    with pytest.raises(ValueError, match=r"Net does not know color='cmyk': choose one of rgb, y"):
        check_choice("Net", "color", "cmyk", ("rgb", "y"))
    assert check_count("Net", "m", 0, 0) == 0
    for bad in (-1, 1.5, True, "2"):
        with pytest.raises(ValueError, match=r"Net needs m to be an integer of at least 0, got"):
            check_count("Net", "m", bad, 0)


def test_inference_form_asks_for_collapse() -> None:
    class Expanded(nn.Module):
        def collapse(self) -> nn.Module:
            return nn.Identity()

    plain = nn.ReLU()
    assert inference_form(plain) is plain
    assert isinstance(inference_form(Expanded()), nn.Identity)
