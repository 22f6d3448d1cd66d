"""Profile a forward pass: processor time and MACs by kind of layer."""

import copy
import time
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor, nn

from sr.cost.count import image_channels
from sr.functional.hooks import forward_hooks
from sr.models.net import Net


def kind_of(layer: nn.Module) -> str:
    """Return the kind of a layer: "3x3", "1x1" or "depthwise 3x3" for convolutions, else its class.

    Args:
        layer: Any module.

    Example:
        >>> kind_of(nn.Conv2d(8, 8, 3, groups=8))
        'depthwise 3x3'
    """
    if not isinstance(layer, nn.Conv2d):
        return type(layer).__name__
    size = f"{layer.kernel_size[0]}x{layer.kernel_size[1]}"
    return f"depthwise {size}" if layer.groups == layer.in_channels > 1 else size


@torch.inference_mode()
def time_by_kind(net: Net, lr_side: int, *, batch_size: int, num_runs: int) -> list[dict[str, Any]]:
    """Measure processor time and MACs of each kind of layer, on the CPU in fp32 and channels-last format.

    Args:
        net: The net in its inference form.
        lr_side: LR pixels per side of the square images.
        batch_size: Images of a batch.
        num_runs: Timed passes, after one warm-up pass.

    Returns:
        One row for each kind, the slowest first: "kind", number of "layers", "macs_g" per pass, mean "ms" of processor
        time, and "gflops" (1e9 FLOP per second).
    """
    own = copy.deepcopy(net).to(memory_format=torch.channels_last)
    lr = torch.rand(batch_size, image_channels(net), lr_side, lr_side, generator=torch.Generator().manual_seed(0))
    spent, macs, counts = (defaultdict[str, float](float) for _ in range(3))
    started = 0.0

    def begin(layer: nn.Module, inputs: Any) -> None:
        nonlocal started
        started = time.process_time()

    def end(layer: nn.Module, inputs: Any, output: Tensor) -> None:
        kind = kind_of(layer)
        spent[kind] += time.process_time() - started
        counts[kind] += 1
        if isinstance(layer, nn.Conv2d):
            macs[kind] += output.numel() * layer.weight[0].numel()

    leaves = [each for each in own.modules() if not any(each.children())]
    lr = lr.to(memory_format=torch.channels_last)
    own(lr)
    befores, afters = ([(layer, hook) for layer in leaves] for hook in (begin, end))
    with forward_hooks(befores, before=True), forward_hooks(afters):
        for _ in range(num_runs):
            own(lr)
    slowest_first = sorted(spent, key=lambda kind: -spent[kind])
    return [
        {"kind": kind, "layers": round(counts[kind] / num_runs)} | _rates(macs[kind] / num_runs, spent[kind] / num_runs)
        for kind in slowest_first
    ]


def _rates(macs: float, seconds: float) -> dict[str, float | None]:
    """Return the figures of one kind in one pass; a kind without MACs has no rate."""
    return {
        "macs_g": macs / 1e9 if macs else None,
        "ms": seconds * 1e3,
        "gflops": 2 * macs / 1e9 / seconds if macs else None,
    }
