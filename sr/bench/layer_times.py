"""Where the time of a forward pass goes: processor time by kind of layer, beside the multiplications of each kind."""

import copy
import time
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor, nn

from sr.cost.count import image_channels
from sr.models.net import Net

MS = 1e3


def kind_of(layer: nn.Module) -> str:
    """A layer's kind: "3x3", "1x1", "depthwise 3x3" for convolutions, else its class.

    >>> kind_of(nn.Conv2d(8, 8, 3, groups=8))
    'depthwise 3x3'
    """
    if not isinstance(layer, nn.Conv2d):
        return type(layer).__name__
    size = f"{layer.kernel_size[0]}x{layer.kernel_size[1]}"
    return f"depthwise {size}" if layer.groups == layer.in_channels > 1 else size


@torch.inference_mode()
def time_by_kind(net: Net, lr_side: int, *, batch_size: int, num_runs: int) -> list[dict[str, Any]]:
    """Run a net on the CPU in fp32, channels last, and sum up what each kind of its layers takes and multiplies.

    Args:
        net: In its deployed form.
        lr_side: LR pixels per side of the square pictures.
        batch_size: Pictures of a pass.
        num_runs: Timed passes, after one that warms up.

    Returns:
        A row for each kind, the slowest first: its name as "kind", the number of its "layers", "macs_g" of a pass, mean
        "ms" of processor time, and "gflops" reached.
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

    for layer in (each for each in own.modules() if not any(each.children())):
        layer.register_forward_pre_hook(begin)
        layer.register_forward_hook(end)
    lr = lr.to(memory_format=torch.channels_last)
    own(lr)
    for table in (spent, macs, counts):
        table.clear()
    for _ in range(num_runs):
        own(lr)
    slowest_first = sorted(spent, key=lambda kind: -spent[kind])
    return [
        {"kind": kind, "layers": round(counts[kind] / num_runs)} | _rates(macs[kind] / num_runs, spent[kind] / num_runs)
        for kind in slowest_first
    ]


def _rates(macs: float, seconds: float) -> dict[str, float | None]:
    """Of one kind in one pass; a kind that multiplies nothing has no rate."""
    return {
        "macs_g": macs / 1e9 if macs else None,
        "ms": seconds * MS,
        "gflops": 2 * macs / 1e9 / seconds if macs else None,
    }
