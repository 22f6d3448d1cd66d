"""The forward of a net as modules: the same values, and a refusal by name of what cannot be quantized."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.api.traced import QUANTIZABLE, REPLACEMENTS, as_modules
from tests.api.foreign_net import Foreign


class Function(nn.Module):
    """A convolution, then any function of its features and of further layers."""

    def __init__(self, function: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.conv, self.layers, self.function = nn.Conv2d(4, 4, 3, padding=1), nn.ModuleList(layers), function

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of the features."""
        return self.function(self.conv(x), *self.layers)


def in_place(x: Tensor) -> Tensor:
    x += torch.relu(x)
    return x


CONVERTED = {
    "a + b": lambda x: x + torch.relu(x),
    "a += b": in_place,
    "torch.add": lambda x: torch.add(x, x.relu()),
    "product": lambda x: x * torch.sigmoid(x),
    "by a number": lambda x: 0.2 * x,
    "joined": lambda x: torch.cat([x, F.relu(x), x.tanh()], dim=1),
    "relu6": F.relu6,
    "leaky": lambda x: F.leaky_relu(x, 0.2),
    "clamp": lambda x: x.clamp(0, 1),
    "clip": lambda x: torch.clamp(x, min=0.0, max=1.0),
    "hardtanh": lambda x: F.hardtanh(x, 0.0, 1.0),
    "shuffle": lambda x: F.pixel_shuffle(x, 2),
    "unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "methods": lambda x: x.add(x.relu()).mul(x.sigmoid()),
}


@pytest.mark.parametrize("function", CONVERTED.values(), ids=CONVERTED)
def test_functions_become_modules_that_compute_the_same(function: Callable[[Tensor], Tensor]) -> None:
    net, lr = Function(function).eval(), torch.rand(1, 4, 8, 8)
    found = as_modules(net)
    assert torch.equal(found(lr.clone()), net(lr.clone()))
    assert {node.op for node in found.graph.nodes} == {"placeholder", "call_module", "output"}
    called = [found.get_submodule(str(node.target)) for node in found.graph.find_nodes(op="call_module")]
    assert {type(module) for module in called} <= set(QUANTIZABLE)


def test_a_module_without_weights_may_be_called_twice_and_is_then_two() -> None:
    called = [node.target for node in as_modules(Foreign()).graph.find_nodes(op="call_module")]
    assert len(called) == len(set(called)) == 8


def test_dropout_and_identity_go_and_the_net_stays_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Dropout(), nn.Identity(), nn.ReLU6()).eval()
    assert [type(found) for found in as_modules(net).children()] == [nn.Conv2d, nn.Hardtanh]
    assert len(net) == 4


REFUSED = {
    "gelu": (F.gelu, (), "gelu .*write nn.ReLU, nn.PReLU or nn.LeakyReLU"),
    "GELU": (lambda x, act: act(x), (nn.GELU(),), r"layers.0 \(GELU\): write nn.ReLU"),
    "norm": (lambda x, norm: norm(x), (nn.GroupNorm(1, 4),), r"GroupNorm\): write nn.BatchNorm2d"),
    "linear": (lambda x, linear: linear(x), (nn.Linear(4, 4),), r"Linear\): write nn.Conv2d with kernel size 1"),
    "resize": (lambda x: F.interpolate(x, scale_factor=2), (), "interpolate .*a convolution and nn.PixelShuffle"),
    "constant": (lambda x: x + 0.5, (), "adds the constant 0.5; put it into the bias"),
    "minus": (lambda x: x - x.relu(), (), r"sub \(sub\): write a convolution"),
    "one bound": (lambda x: x.clamp(min=0), (), "give plain numbers"),
    "axis": (lambda x: torch.cat([x, x], dim=2), (), "along axis 2"),
    "twice": (lambda x, conv: conv(conv(x)), (nn.Conv2d(4, 4, 1),), r"layers.0 \(Conv2d\) is called twice"),
    "values": (lambda x: x if x.mean() > 0 else -x, (), "dynamic control flow"),
    "unknown": (lambda x: torch.fft.fft2(x).real, (), "write nn.Conv2d, nn.ConvTranspose2d"),
}


@pytest.mark.parametrize("function, layers, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_quantized_is_named_with_what_to_write(
    function: Callable[..., Tensor], layers: tuple[nn.Module, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        as_modules(Function(function, *layers).eval())
    assert "\n" not in str(caught.value)


def test_all_refusals_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"gelu.*; .*constant 0\.5"):
        as_modules(Function(lambda x: F.gelu(x) + 0.5))


def test_parameters_of_the_forward_and_more_inputs_are_refused() -> None:
    class Direct(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.gain

    class Two(nn.Module):
        def forward(self, x: Tensor, strength: Tensor) -> Tensor:
            return x * strength

    with pytest.raises(ValueError, match="the tensor gain is used directly"):
        as_modules(Direct())
    with pytest.raises(ValueError, match="takes x, strength; it must take the image alone"):
        as_modules(Two())


def test_advice_names_modules_that_are_quantized() -> None:
    texts = REPLACEMENTS.values()
    named = {word.strip(",;").removeprefix("nn.") for text in texts for word in text.split() if word.startswith("nn.")}
    assert named and named <= {module.__name__ for module in QUANTIZABLE}
