"""Key layout of BasicSR, tested with spandrel itself."""

import pytest
import torch

from sr.models.basicsr_names import to_basicsr_names
from sr.models.blocks import inference_form
from sr.models.weights import load_weights

SMALL_RRDB = ("model.f=16", "model.growth=32", "model.m=2", "model.standardized=false")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_spandrel_runs_compact_with_the_same_output(make, scale):
    spandrel = pytest.importorskip("spandrel")
    net, lr = make("compact", "model.f=16", "model.m=3", scale=scale), torch.rand(2, 3, 11, 9)
    descriptor = spandrel.MAIN_REGISTRY.load(to_basicsr_names(net))
    assert descriptor.architecture.id == "Compact" and descriptor.scale == scale
    with torch.no_grad():
        torch.testing.assert_close(descriptor.model(lr).clamp(0, 1), net(lr), atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("form", [lambda net: net, inference_form], ids=["training form", "inference form"])
def test_spandrel_runs_rrdbnet_with_the_same_output(make, scale, form):
    spandrel = pytest.importorskip("spandrel")
    net, lr = make("rrdbnet", *SMALL_RRDB, scale=scale).eval(), torch.rand(1, 3, 12, 10)
    descriptor = spandrel.MAIN_REGISTRY.load(to_basicsr_names(form(net)))
    assert descriptor.architecture.id == "ESRGAN" and descriptor.scale == scale
    with torch.no_grad():
        torch.testing.assert_close(descriptor.model(lr), net(lr), atol=1e-6, rtol=1e-5)


def test_names_of_rrdbnet_come_back(make):
    net, other = (make("rrdbnet", *SMALL_RRDB, scale=4, seed=seed) for seed in (0, 1))
    load_weights(other, to_basicsr_names(net), source="x.pth")
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("model", "overrides", "scale", "message"),
    [
        ("edsr", [], 2, "spandrel has no EDSR; it reads Compact and RRDBNet"),
        ("compact", ["model.activation=relu"], 2, "Compact with activation=prelu only"),
        ("rrdbnet", ["model.growth=8", "model.m=1"], 4, "growth=32, scale 2 or 4 .* has growth=8, scale 4"),
        ("rrdbnet", ["model.m=1"], 3, "scale 2 or 4 and standardized=false; this one has growth=32, scale 3"),
    ],
)
def test_what_spandrel_cannot_read_is_refused(make, model, overrides, scale, message):
    with pytest.raises(ValueError, match=message):
        to_basicsr_names(make(model, *overrides, scale=scale))
