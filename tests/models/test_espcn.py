import pytest
import torch
from torch import nn

from sr.models.espcn import ESPCN


def build(**changes: object) -> ESPCN:
    settings = {"scale": 2, "color": "y", "activation": "tanh", "overparameterize": "none"}
    torch.manual_seed(0)
    return ESPCN(**{**settings, **changes})


@pytest.mark.parametrize(("color", "counts"), [("y", (21_284, 22_729, 24_752)), ("rgb", (26_796, 31_131, 37_200))])
def test_published_parameter_counts(color: str, counts: tuple[int, ...]) -> None:
    nets = [build(color=color, scale=scale) for scale in (2, 3, 4)]
    assert tuple(sum(p.numel() for p in net.parameters()) for net in nets) == counts


def test_layers_are_the_papers() -> None:
    kernels = [m.kernel_size[0] for m in build().modules() if isinstance(m, nn.Conv2d)]
    assert kernels == [5, 3, 3]
    assert [type(layer) for layer in build().cnn[1::2]] == [nn.Tanh, nn.Tanh]
    assert [type(layer) for layer in build(activation="relu").cnn[1::2]] == [nn.ReLU, nn.ReLU]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1.5}, r"ESPCN cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"color": "yuv"}, r"ESPCN does not know color='yuv': choose one of rgb, y"),
        ({"activation": "prelu"}, r"ESPCN does not know activation='prelu': choose one of tanh, relu"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)
