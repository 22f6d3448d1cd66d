import pytest
import torch
from torch import nn

from sr.quantization.batch_norms import without_batch_norms

pytestmark = pytest.mark.aimet


class Normed(nn.Module):
    """Convolution, batch norm, ReLU, and sub-pixel upscaling."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        layers = [nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(12)]
        self.body = nn.Sequential(*(layers if late else [layers[0], layers[2], layers[1]]))
        self.color, self.size_multiple, self.scale = "rgb", 1, 2
        self.depth_to_space = nn.PixelShuffle(2)

    def forward(self, lr):
        return self.depth_to_space(self.body(lr))


def normed(**arguments):
    torch.manual_seed(0)
    net = Normed(**arguments)
    for norm in (module for module in net.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.uniform_(-0.2, 0.2)
        norm.running_var.uniform_(0.5, 2)
    return net.eval()


def test_folded_and_the_same_function(pixels):
    net = normed(late=False)
    folded = without_batch_norms(net)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert torch.allclose(folded(pixels), net(pixels), atol=1e-5)
    assert any(isinstance(module, nn.BatchNorm2d) for module in net.modules())


def test_a_net_without_any_is_itself(make_net):
    net = make_net()
    assert without_batch_norms(net) is net


def test_one_that_nothing_takes_up_is_named():
    with pytest.raises(ValueError, match=r"Normed cannot be quantized: no convolution takes up batch norm body.2"):
        without_batch_norms(normed(late=True))
