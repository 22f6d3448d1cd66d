import copy

import pytest
import torch

from sr.quantization.fast_fake_quant import fast_fake_quant
from sr.quantization.ptq import calibrate

pytestmark = pytest.mark.aimet


@pytest.mark.parametrize(
    "changes", [{}, {"residual": "input_to_output"}, {"activation": "relu", "residual": "input_to_output"}]
)
def test_same_bits_and_same_gradients(make_net, make_scheme, calibration, pixels, changes):
    slow = calibrate(net=make_net(**changes), scheme=make_scheme(), calibration=calibration).net
    fast = copy.deepcopy(slow)
    target = torch.rand(1, 3, 60, 80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = slow(pixels)
    (slow(pixels) - target).abs().mean().backward()
    with fast_fake_quant(fast):
        sr = fast(pixels)
        (sr - target).abs().mean().backward()
    assert torch.equal(sr, expected)
    compared = 0
    for (name, a), b in zip(slow.named_parameters(), fast.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None), name
        if a.grad is not None:
            assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-5), (name, a.grad, b.grad)
            compared += bool(a.grad.abs().sum() > 0)
    assert compared > 8
    if "residual" in changes:
        assert slow.conv_last.output_quantizers[0].max.grad.abs() > 0


def test_the_net_is_as_before_afterwards(make_net, make_scheme, calibration, pixels):
    net = calibrate(net=make_net(), scheme=make_scheme(), calibration=calibration).net
    with pytest.raises(KeyError), fast_fake_quant(net):
        assert any("forward" in vars(module) for module in net.modules())
        raise KeyError
    assert not any("forward" in vars(module) for module in net.modules())
