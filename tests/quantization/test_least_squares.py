import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from sr.quantization.least_squares import Part, Problem, round_columns, solve
from sr.quantization.phases import arranged, inputs_of, kernel_of, kernel_phases

LOW, HIGH = -127, 127


def correlated(d, seed=0):
    """E[x x^T] of inputs that are alike, as neighbouring pixels are."""
    x = torch.rand(d, 500, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 0.3 + 0.7
    return x @ x.T / 500


def test_independent_inputs_are_rounded_to_nearest():
    weights = torch.randn(1, 5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scale = torch.full((1, 5, 8), 0.1, dtype=torch.float64)
    diagonal = torch.diag(torch.arange(1.0, 9.0).double())[None]
    made = round_columns(weights, scale, -8, 7, diagonal, torch.ones_like(scale))
    assert torch.equal(made, (weights / 0.1).round().clamp(-8, 7) * 0.1)


def test_correlated_inputs_share_their_errors_and_the_bias_takes_the_rest():
    second = correlated(9)
    weights = torch.randn(1, 50, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    scale = torch.full((1, 50, 8), 0.1, dtype=torch.float64)  # the ninth is the bias
    made = round_columns(weights, scale, -128, 127, torch.linalg.inv(second)[None], torch.ones_like(scale))
    nearest = weights.clone()
    nearest[:, :, :8] = (weights[:, :, :8] / 0.1).round() * 0.1

    def loss(found):
        lost = (found - weights)[0]
        return ((lost @ second) * lost).sum()

    assert loss(made) < 0.1 * loss(nearest)
    remaining = (made - weights)[0] @ second  # the bias is where its gradient is zero
    assert remaining[:, 8].abs().max() < 1e-9 < remaining[:, :8].abs().max()


def whole_layer(*, bias, stride, seed=0):
    """A transposed convolution on correlated inputs: its problem by phase, and all of it in one matrix by definition.

    The matrix comes from stuffing zeros: a transposed convolution is a convolution of the stuffed image.
    """
    torch.manual_seed(seed)
    layer = nn.ConvTranspose2d(2, 3, 5, stride=stride, padding=2, output_padding=stride - 1, bias=bias).double()
    lr = torch.rand(4, 2, 6, 5, dtype=torch.float64) * 0.3 + 0.7
    wanted = layer(lr).detach() + 0.05 * torch.randn(4, 3, 6 * stride, 5 * stride, dtype=torch.float64)
    pixels = wanted.shape[2] * wanted.shape[3]
    stuffed = torch.zeros(4, 2, 5 * stride + 1, 4 * stride + 1, dtype=torch.float64)
    stuffed[:, :, ::stride, ::stride] = lr
    edge = 5 - 1 - 2
    stuffed = nn.functional.pad(stuffed, (edge, edge + stride - 1) * 2)
    x = nn.functional.unfold(stuffed, 5).transpose(0, 1).flatten(1)  # (2*5*5, N*P), a kernel turned by 180 degrees
    y = wanted.transpose(0, 1).flatten(1)
    return layer, lr, wanted, x, y, pixels


def by_phase(layer, lr, wanted, pixels, damping):
    scale = torch.full_like(layer.weight, 0.05)
    parts = []
    together = zip(kernel_phases(layer), inputs_of(layer, lr, torch.arange(pixels), wanted.shape[3]), strict=True)
    for phase, (own, x) in together:
        y = wanted.flatten(2)[:, :, own].transpose(0, 1).flatten(1)[None]
        kernel, steps = (phase.part(arranged(layer, value.detach())) for value in (layer.weight, scale))
        count = pixels * len(lr)
        parts.append(Part(kernel, steps, torch.ones_like(steps), x @ x.mT / count, y @ x.mT / count))
    bias = None if layer.bias is None else layer.bias.detach().reshape(1, -1, 1)
    return Problem(parts, bias, LOW, HIGH, damping)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_by_phase_is_the_whole_layer_in_one_matrix(bias, stride):
    layer, lr, wanted, x, y, pixels = whole_layer(bias=bias, stride=stride)
    turned = layer.weight.detach().transpose(0, 1).flip(2, 3)  # (3, 2, 5, 5)
    start, scale = turned.flatten(1), torch.full((1, 3, 50), 0.05, dtype=torch.float64)
    if bias:
        x = torch.cat([x, torch.ones_like(x[:1])])
        start = torch.cat([start, layer.bias.detach()[:, None]], dim=1)
    stuffed_way = start @ x
    assert torch.allclose(stuffed_way.reshape(3, 4, -1).transpose(0, 1), layer(lr).detach().flatten(2), atol=1e-12)

    second, cross = x @ x.T / x.shape[1], y @ x.T / x.shape[1]
    second_damped = second + 0.01 * second.diagonal().mean() * torch.eye(len(second), dtype=torch.float64)
    inverse = torch.linalg.inv(second_damped)
    best = start + (cross - start @ second) @ inverse
    order = order_by_phase(layer)  # in which the phases are rounded, in terms of the turned kernel
    behind = torch.cat([order, torch.tensor([50])]) if bias else order
    made = round_columns(
        best[None][:, :, behind], scale, LOW, HIGH, inverse[behind][:, behind][None], torch.ones_like(scale)
    )
    expected = torch.empty_like(best)
    expected[:, behind] = made[0]

    parts, found_bias = solve(by_phase(layer, lr, wanted, pixels, 0.01))
    kernel = torch.empty_like(arranged(layer, layer.weight.detach()))
    for phase, part in zip(kernel_phases(layer), parts, strict=True):
        phase.put(part, kernel)
    found = kernel_of(layer, kernel).transpose(0, 1).flip(2, 3).flatten(1)
    assert torch.allclose(found, expected[:, :50], atol=1e-12)
    assert (found - turned.flatten(1)).abs().max() > 0.02, "it is rounded"
    if bias:
        assert torch.allclose(found_bias.flatten(), expected[:, 50], atol=1e-12)
    else:
        assert found_bias is None


def order_by_phase(layer):
    """Indices into the turned kernel (2*5*5) of the weights, in the order of the phases."""
    index = torch.arange(50).reshape(1, 2, 5, 5)  # (outputs, inputs, rows, columns), turned
    kernel = arranged(layer, index.flip(2, 3).transpose(0, 1))
    return torch.cat([phase.part(kernel).flatten() for phase in kernel_phases(layer)])


def test_the_shared_bias_is_best_for_all_phases_together():
    """Where the bias is, the squared error has no slope."""
    layer, lr, wanted, x, y, pixels = whole_layer(bias=True, stride=2)
    parts, bias = solve(by_phase(layer, lr, wanted, pixels, 1e-9))
    kernel = torch.empty_like(arranged(layer, layer.weight.detach()))
    for phase, part in zip(kernel_phases(layer), parts, strict=True):
        phase.put(part, kernel)
    turned = kernel_of(layer, kernel).transpose(0, 1).flip(2, 3)
    lost = (turned.flatten(1) @ x + bias[0] - y).mean(1)
    assert lost.abs().max() < 1e-7


def test_a_phase_without_taps_gives_its_pixels_to_the_bias():
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(2, 3, 1, stride=2, output_padding=1).double()  # three pixels of four are the bias
    lr = torch.rand(2, 2, 4, 4, dtype=torch.float64)
    wanted = torch.full((2, 3, 8, 8), 0.25, dtype=torch.float64)
    weights, bias = solve(by_phase(layer, lr, wanted, 64, 1e-9))
    assert [part.shape[2] for part in weights] == [2, 0, 0, 0]
    found = conv2d(lr, weights[0].reshape(3, 2, 1, 1)) + bias.reshape(1, 3, 1, 1)
    lost = (found - 0.25).sum((0, 2, 3)) + 3 * 32 * (bias.flatten() - 0.25)
    assert lost.abs().max() < 1e-5
