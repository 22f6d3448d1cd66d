"""Sensitivity of each layer: its quantization error, alone and in the whole net, and how well its ranges fit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sr.functional.hooks import forward_hooks
from sr.quantization.integer import IntegerSimulation

_BINS = 64  # of a histogram of weights
EXACT_DB = 200.0  # value for a signal without noise, because JSON has no infinity


def layer_sensitivities(
    simulation: IntegerSimulation, float_net: nn.Module, inputs: Sequence[Tensor]
) -> list[dict[str, Any]]:
    """Describe every layer that has a quantizer, in the order of the forward pass.

    Args:
        simulation: A calibrated simulation.
        float_net: Net that it was made from, of the same structure.
        inputs: Inputs of the net (N, C, h, w) in [0, 1].

    Returns:
        For each layer `name` and `kind`; `alone_db`, the SQNR of the net's output with only this layer quantized;
        `sqnr_db`, the SQNR of the layer's own output in the fully quantized net, both against the float net;
        `activation` for a quantized activation and `weights` for a quantized kernel. SQNR is 10 log10 of the ratio of
        the mean squares of signal and difference.
    """
    modules = {name: module for name, module in simulation.aimet.named_qmodules() if _quantizers(module)}
    order, wanted = _layer_outputs(float_net, list(modules), inputs)
    _, found = _layer_outputs(simulation.net, list(modules), inputs)
    exact = _run(float_net, inputs)
    described = []
    for name in order:
        with _only(list(modules.values()), modules[name]):
            alone = sqnr_db(exact, _run(simulation.net, inputs))
        entry = {"name": name, "kind": type(float_net.get_submodule(name)).__name__, "alone_db": alone}
        entry |= {"sqnr_db": sqnr_db(wanted[name], found[name]), **_activation(modules[name], wanted[name])}
        described.append(entry | _weights(modules[name]))
    return described


def sqnr_db(exact: Sequence[Tensor], quantized: Sequence[Tensor]) -> float:
    """Return the signal-to-quantization-noise ratio of several tensors together, in dB; 200 if they are equal.

    Args:
        exact: Tensors of the float net.
        quantized: Tensors of the same shapes.

    >>> round(sqnr_db([torch.ones(4)], [torch.ones(4) * 1.1]), 3)
    20.0
    """
    signal = sum(float(a.double().square().sum()) for a in exact)
    noise = sum(float((a.double() - b.double()).square().sum()) for a, b in zip(exact, quantized, strict=True))
    return EXACT_DB if noise == 0 else min(EXACT_DB, 10 * float(np.log10(max(signal, 1e-30) / noise)))


def _run(net: nn.Module, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return the output of a net for each batch, as plain tensors."""
    with torch.no_grad():
        return [net(batch).as_subclass(Tensor) for batch in inputs]


def _layer_outputs(
    net: nn.Module, names: Sequence[str], inputs: Sequence[Tensor]
) -> tuple[list[str], dict[str, list[Tensor]]]:
    """Return the names of layers in the order in which they first run, and their outputs for each batch."""
    caught: dict[str, list[Tensor]] = {}

    def catch(name: str, _: nn.Module, __: Any, output: Tensor) -> None:
        caught.setdefault(name, []).append(output.detach().as_subclass(Tensor))

    with forward_hooks((net.get_submodule(name), partial(catch, name)) for name in names):
        _run(net, inputs)
    return list(caught), caught


@contextmanager
def _only(modules: Sequence[Any], kept: Any) -> Iterator[None]:
    """Remove the quantizers of all modules but one within the block; the quantizer of the net's input stays."""
    from aimet_torch.utils import remove_all_quantizers

    with remove_all_quantizers([module for module in modules if module is not kept]):
        yield


def _quantizers(module: Any) -> list[Any]:
    every = [*module.param_quantizers.values(), *module.output_quantizers]
    return [quantizer for quantizer in every if quantizer is not None]


def _activation(module: Any, exact: Sequence[Tensor]) -> dict[str, Any]:
    """Return the range of an activation, the values of the float net, and the share that is clipped."""
    quantizer = module.output_quantizers[0]
    if quantizer is None:
        return {}
    low, high = float(quantizer.get_min().detach()), float(quantizer.get_max().detach())
    values = torch.cat([batch.flatten() for batch in exact])
    half = (high - low) / (2**quantizer.bitwidth - 1) / 2
    pinned = not any(parameter.requires_grad for parameter in quantizer.parameters())
    facts = {"low": low, "high": high, "bits": quantizer.bitwidth, "pinned": pinned}
    facts |= {"float_low": float(values.min()), "float_high": float(values.max())}
    cut = {"cut_below": values < low - half, "cut_above": values > high + half}
    return {"activation": facts | {key: float(which.float().mean()) for key, which in cut.items()}}


def _weights(module: Any) -> dict[str, Any]:
    """Return a histogram of a kernel and the ratio of the largest to the smallest channel range."""
    quantizer = dict(module.param_quantizers.items()).get("weight")
    if quantizer is None:
        return {}
    weight = module.weight.detach().as_subclass(Tensor)
    rounded = quantizer(module.weight).detach().as_subclass(Tensor)
    counts, edges = np.histogram(weight.cpu().numpy(), bins=_BINS)
    largest = weight.abs().reshape(len(weight), -1).amax(1)  # a PReLU has one slope per channel
    facts = {"bits": quantizer.bitwidth, "num_scales": quantizer.get_scale().numel()}
    facts |= {"sqnr_db": sqnr_db([weight], [rounded]), "low": float(weight.min()), "high": float(weight.max())}
    facts["channel_spread"] = float(largest.max() / largest.min().clamp(min=1e-12))
    return {"weights": facts | {"histogram": counts.tolist(), "edges": [float(edge) for edge in edges]}}
