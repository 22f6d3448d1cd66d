import pytest
import torch
from torch import nn

from sr.quantization.equalization import CrossLayerEqualization

pytestmark = pytest.mark.aimet
CLE = CrossLayerEqualization(name="cle")


def test_a_relu_net_is_equalised_and_stays_the_same_function(make_net, pixels):
    net = make_net(activation="relu", m=2)
    with torch.no_grad():
        net.cnn[0].weight[0] *= 50  # one channel that costs all others their precision
        net.cnn[0].bias[0] *= 50
        net.cnn[2].weight[:, 0] /= 50
    before = {name: value.clone() for name, value in net.state_dict().items()}
    equalised = CLE.prepare(net)
    assert torch.allclose(equalised(pixels), net(pixels), atol=1e-5)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())

    def spread(layer: nn.Conv2d) -> float:
        ranges = layer.weight.abs().amax((1, 2, 3))
        return (ranges.max() / ranges.min()).item()

    assert spread(equalised.cnn[0]) < 0.3 * spread(net.cnn[0])


def test_a_clipped_net_is_left_alone_aloud(make_net, caplog):
    net = make_net(m=2)
    assert CLE.prepare(net) is net
    assert "cle leaves QuickSRNet as it is" in caplog.text
    assert "it clips at cnn.1, cnn.3, cnn.5, clip, and a clip does not scale" in caplog.text
