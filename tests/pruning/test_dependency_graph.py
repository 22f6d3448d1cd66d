"""Which channels belong together, and a net with fewer of them: what is cut is what zeros would do."""

import copy

import pytest
import torch
from torch import nn

from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.pruning.dependency_graph import CONV_LAYERS, Channels
from sr.pruning.narrowed import narrow, remove_channels

# A stack, a residual from the input, long and short skips, concatenations and attention, two steps of depth-to-space,
# space-to-depth, groups, a deconvolution, batch normalization and PReLU.
NETS = [
    ("quicksrnet_small", 2), ("quicksrnet_small", 1.5), ("quicksrnet_large", 2), ("sesr_m3", 2), ("xlsr", 3),
    ("erfdn", 2), ("fsrcnn", 2), ("espcn", 2), ("abpn", 2), ("srresnet_tiny", 4), ("rrdbnet_tiny", 4),
]  # fmt: skip


def trained(make, name, scale):
    """A net in its inference form that no start makes special."""
    net = inference_form(make(name, scale=scale)).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 1)
    return net


@torch.no_grad()
def without(net, channels, kept):
    """A copy of the wide net that does not see what comes in on removed channels."""
    net = copy.deepcopy(net)
    for name, labels in channels.inputs.items():
        layer = net.get_submodule(name)
        if isinstance(layer, CONV_LAYERS) and layer.groups == 1:
            weight = layer.weight if isinstance(layer, nn.ConvTranspose2d) else layer.weight.transpose(0, 1)
            weight[[i for i, label in enumerate(labels) if label and label not in kept]] = 0
    return net


@pytest.mark.parametrize(("name", "scale"), NETS)
def test_a_cut_net_is_the_wide_one_without_these_channels(make, name, scale):
    net = trained(make, name, scale)
    channels = Channels(net)
    groups = channels.groups()
    kept = {feature for group in groups for feature in group.features[1::2]}
    lr = torch.rand(1, NUM_CHANNELS[net.color], 24, 24)
    wanted, before = without(net, channels, kept)(lr), sum(p.numel() for p in net.parameters())
    remove_channels(net, channels, kept)
    torch.testing.assert_close(net(lr), wanted, rtol=0, atol=5e-6)
    assert sum(p.numel() for p in net.parameters()) < 0.75 * before
    widths = {group.name: len(group.features[1::2]) for group in groups}
    narrow(net=make(name, scale=scale), removed=[], widths=widths).load_state_dict(net.state_dict())


def test_groups_follow_residuals_and_depth_to_space(make):
    names = {name: [group.name for group in Channels(inference_form(make(name))).groups()] for name in ("sesr_m3",)}
    assert names["sesr_m3"] == ["conv_first", "body.0", "body.2"], "the long skip ties the last block to the first"
    net = make("srresnet_tiny", scale=4)
    sizes = {group.name: len(group.features) for group in Channels(net).groups()}
    assert net.upsampler[0].out_channels == 4 * sizes["upsampler.0"], "depth-to-space makes one channel of four"


def test_wider_than_it_is_or_a_group_that_is_not_there(make):
    for widths in ({"cnn.0": 33}, {"cnn.0": 0}, {"conv_last": 8}):
        with pytest.raises(ValueError, match=r"groups of QuickSRNet and their channels: cnn\.0 \(32\), cnn\.2 \(32\)"):
            narrow(net=make("quicksrnet_small"), removed=[], widths=widths)


def test_an_operation_that_mixes_channels_is_refused(make):
    class Mixing(nn.Module):
        color = "rgb"

        def forward(self, lr):
            return lr.flip(1)

    with pytest.raises(ValueError, match="it is not known which channels flip joins"):
        Channels(Mixing())
