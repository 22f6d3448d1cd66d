import pytest
import torch
from torch import nn

from sr.quantization.phases import arranged, inputs_of, kernel_of, kernel_phases

CONVOLUTION_LAYERS = [{}, {"groups": 2}, {"stride": 2, "padding": 0}, {"dilation": 2, "bias": False}]
TRANSPOSED = [
    {},
    {"groups": 2},
    {"stride": 2, "output_padding": 1},
    {"stride": 3, "kernel_size": 5, "padding": 2, "bias": False},
    {"stride": (2, 3), "kernel_size": (4, 3), "padding": (0, 1), "groups": 2},
    {"stride": 2, "dilation": 3, "kernel_size": 3, "padding": 2},
    {"stride": 2, "dilation": 2},  # no tap reaches three of four pixels
    {"stride": 3, "kernel_size": 2, "padding": 0},
]


def layers():
    """Convolutions from 4 to 6 channels of all kinds."""
    yield from (nn.Conv2d(4, 6, **{"kernel_size": 3, "padding": 1} | changes) for changes in CONVOLUTION_LAYERS)
    yield from (nn.ConvTranspose2d(4, 6, **{"kernel_size": 3, "padding": 1} | changes) for changes in TRANSPOSED)


@pytest.mark.parametrize("layer", layers(), ids=str)
def test_inputs_times_kernel_are_the_layer(layer):
    inputs = torch.rand(2, 4, 9, 7)
    with torch.no_grad():
        wanted = layer(inputs)
    kernel = arranged(layer, layer.weight.detach())
    places = torch.randperm(wanted.shape[2] * wanted.shape[3])[:40]
    seen = torch.zeros_like(places)
    together = zip(kernel_phases(layer), inputs_of(layer, inputs, places, wanted.shape[3]), strict=True)
    for phase, (own, x) in together:
        part = phase.part(kernel)
        if layer.bias is not None:
            part = torch.cat([part, layer.bias.detach().reshape(layer.groups, -1, 1)], dim=2)
        found = (part @ x).reshape(6, 2, int(own.sum())).transpose(0, 1)
        assert torch.allclose(found, wanted.flatten(2)[:, :, places[own]], atol=1e-6)
        seen += own
    assert (seen == 1).all(), "each output pixel is in one phase"


@pytest.mark.parametrize("layer", layers(), ids=str)
def test_parts_make_the_whole_kernel(layer):
    weight = layer.weight.detach().to(memory_format=torch.channels_last)
    kernel = arranged(layer, weight)
    made = torch.full_like(kernel, torch.nan)
    for phase in kernel_phases(layer):
        phase.put(phase.part(kernel), made)
    assert torch.equal(kernel_of(layer, made), weight)
