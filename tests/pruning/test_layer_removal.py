"""Which layers can go, and a net without them: it computes what it would if they passed their input on."""

import copy

import pytest
import torch
from torch import nn

from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.pruning.dependency_graph import Channels
from sr.pruning.layer_removal import Spare, spare_layers, without_layers
from sr.pruning.narrowed import narrow

# A stack, long and short skips, residual blocks with layers as attributes, batch normalization and PReLU.
NETS = [
    ("quicksrnet_medium", 2), ("quicksrnet_small", 1.5), ("sesr_m3", 2), ("xlsr", 3), ("erfdn", 2), ("fsrcnn", 2),
    ("abpn", 2), ("srresnet_tiny", 4), ("rrdbnet_tiny", 4), ("edsr_baseline", 2),
]  # fmt: skip


@pytest.mark.parametrize(("name", "scale"), NETS)
def test_a_shallower_net_passes_on_what_the_layers_got(make, name, scale):
    net = inference_form(make(name, scale=scale)).eval()
    spare = spare_layers(net)
    gone = list(spare)[::2]
    lr = torch.rand(1, NUM_CHANNELS[net.color], 24, 24)
    skipping = copy.deepcopy(net)
    for layer in gone:
        for each in spare[layer].layers:
            skipping.get_submodule(each).register_forward_hook(lambda _, inputs, __: inputs[0])
    without_layers(net, gone)
    assert torch.equal(net(lr), skipping(lr))
    assert net.state_dict().keys() == {
        key for key in skipping.state_dict() if key.rpartition(".")[0] not in {e for n in gone for e in spare[n].layers}
    }, "the others keep their names"
    narrow(net=make(name, scale=scale), removed=gone, widths={}).load_state_dict(net.state_dict())


def test_layers_go_before_widths(make):
    net = narrow(net=make("quicksrnet_medium"), removed=["cnn.4", "cnn.10"], widths={"cnn.0": 24, "cnn.6": 16})
    convs = [
        (name, each.in_channels, each.out_channels) for name, each in net.named_modules() if hasattr(each, "stride")
    ]
    assert convs == [
        ("cnn.0", 3, 24), ("cnn.2", 24, 32), ("cnn.6", 32, 16), ("cnn.8", 16, 32), ("conv_last", 32, 12),
    ]  # fmt: skip
    assert [group.name for group in Channels(net).groups()] == ["cnn.0", "cnn.2", "cnn.6", "cnn.8"]


def test_an_activation_that_others_use_too_stays(make):
    class Shared(nn.Module):
        color, scale, size_multiple = "rgb", 1, 1

        def __init__(self):
            super().__init__()
            self.a, self.b, self.act = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()
            self.narrower, self.halving = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3, stride=2, padding=1)

        def forward(self, lr):
            return self.halving(self.narrower(self.act(self.b(self.act(self.a(lr))))))

    assert spare_layers(Shared()) == {"a": Spare(["a"], None), "b": Spare(["b"], None)}


def test_a_layer_that_cannot_go_is_refused(make):
    with pytest.raises(ValueError, match=r"cnn\.0 of QuickSRNet cannot be removed; these can: cnn\.2, cnn\.4"):
        narrow(net=make("quicksrnet_small"), removed=["cnn.0"], widths={})
