"""EDSR-F32B5: the size of MLPerf Mobile's net, and its skips."""

import pytest
import torch

from sr.models.edsr_mobile import EDSRMobile


def test_parameters_by_layer() -> None:
    head, block, tail = 3 * 32 * 9 + 32, 32 * 32 * 9 + 32, 32 * 12 * 9 + 12
    net = EDSRMobile(scale=2, f=32, m=5)
    assert sum(parameter.numel() for parameter in net.parameters()) == head + 11 * block + tail == 106_092


def test_a_silent_body_passes_the_head_on() -> None:
    net = EDSRMobile(scale=2, f=8, m=2).eval()
    with torch.no_grad():
        for parameter in net.body[-1].parameters():
            parameter.zero_()
        lr = torch.rand(1, 3, 5, 7)
        want = net.depth_to_space(net.clip(net.tail(net.head(lr))))
        assert torch.equal(net(lr), want)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"scale": 1.5, "f": 8, "m": 1}, "by 1.5"), ({"scale": 2, "f": 8, "m": 0}, "m to be")]
)
def test_refusals(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EDSRMobile(**arguments)
