"""Layers with weights: the order in which they run, their inputs and outputs, and the weights left by pruning."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sr.export.graph.float_onnx import example_input
from sr.functional.hooks import forward_hooks
from sr.models.net import Net

Seen = Callable[[str, Tensor, Tensor], None]


def weighted(net: Net) -> list[str]:
    """Return the names of a simulated net's convolutions and linear layers, in the order in which they first run."""
    layers = {
        module: name for name, module in net.named_modules() if "weight" in getattr(module, "param_quantizers", ())
    }
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    order: dict[str, None] = {}

    def note(name: str, *_: Any) -> None:
        order.setdefault(name)

    hooks = [(module, partial(note, name)) for module, name in layers.items() if isinstance(module, kinds)]
    with forward_hooks(hooks, before=True), torch.no_grad():
        net(example_input(net))
    return list(order)


def watch(net: nn.Module, names: Sequence[str], inputs: Sequence[Tensor], seen: Seen) -> None:
    """Run a float or a simulated net on batches and call a function with inputs and outputs of some layers.

    Args:
        net: Float net or simulated net.
        names: Names of layers with one input.
        inputs: Batches (N, C, h, w).
        seen: Function of a layer's name, its quantized input (N, c, h, w) and its output (N, k, h', w') before its own
            output quantizer, both plain tensors.
    """

    def hook(name: str, module: Any, given: tuple[Tensor, ...], output: Tensor) -> None:
        own = getattr(module, "input_quantizers", (None,))[0]
        value = given[0] if own is None else own(given[0])
        seen(name, value.detach().as_subclass(Tensor), output.detach().as_subclass(Tensor))

    layers = {name: net.get_submodule(name) for name in names}
    hooks = [(layer, partial(hook, name)) for name, layer in layers.items()]
    with without_output_quantizers(list(layers.values())), forward_hooks(hooks), torch.no_grad():
        for batch in inputs:
            net(batch)


@contextmanager
def without_output_quantizers(layers: Sequence[Any]) -> Iterator[None]:
    """Remove the output quantizers of layers within the block; layers of a float net have none."""
    lists = [layer.output_quantizers for layer in layers if hasattr(layer, "output_quantizers")]
    taken = [quantizers[0] for quantizers in lists]
    for quantizers in lists:
        quantizers[0] = None
    try:
        yield
    finally:
        for quantizers, quantizer in zip(lists, taken, strict=True):
            quantizers[0] = quantizer


def left_by_pruning(net: nn.Module) -> dict[str, Tensor]:
    """Return masks of kernels with weights of exactly zero, which only pruning makes: 1 where a weight is left."""
    kernels = {name: parameter.detach() for name, parameter in net.named_parameters() if parameter.dim() == 4}
    return {name: (kernel != 0).to(kernel.dtype) for name, kernel in kernels.items() if not kernel.all()}
