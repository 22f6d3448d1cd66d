"""Importance of whole layers: remove each one, refit the next layer, and measure the loss."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.functional.hooks import forward_hooks
from sr.models.net import Net
from sr.pruning.layer_removal import Spare, spare_layers, without_layers
from sr.pruning.refit import ConvKernel, refits

Crops = Sequence[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Removal:
    """Removed layer with the loss before and after.

    Attributes:
        layer: The convolution.
        loss_before: Mean loss after the earlier removals.
        loss_after: Mean loss without this layer as well, before any training.
    """

    layer: str
    loss_before: float
    loss_after: float


@torch.no_grad()
def remove_layers(net: Net, count: int, batches: Iterable[tuple[Tensor, Tensor]], loss: nn.Module) -> list[Removal]:
    """Remove layers in place one after the other, each time the one whose removal gives the smallest loss.

    The loss is measured, not estimated. If a single convolution reads a removed layer, it first gets the weights that
    reproduce its former output best in the least squares sense (`sr.pruning.refit`).

    Args:
        net: Trained net in its inference form, on the CPU.
        count: Number of layers to remove.
        batches: uint8 RGB batches of training crops, lr (N, 3, h, w) and hr (N, 3, s*h, s*w).
        loss: Module (sr, hr) -> scalar.

    Returns:
        The removals in their order.

    Raises:
        ValueError: Fewer layers can be removed.
    """
    can_go = list(spare_layers(net))
    if count > len(can_go):
        raise ValueError(
            f"filters.remove_layers is {count}, but only {len(can_go)} layers of {type(net).__name__} give the shape "
            f"that they get, so that they can go: {', '.join(can_go) or 'none'}"
        )
    crops = [(to_network(lr, net), to_network(hr, net)) for lr, hr in batches] if count else []
    gone: list[Removal] = []
    for _ in range(count):
        spare = spare_layers(net)
        kernels = refits(net, spare, [lr for lr, _ in crops])
        before = gone[-1].loss_after if gone else _mean_loss(net, crops, loss)
        after: dict[str, float] = {}
        for name, each in spare.items():
            with _without(net, each, kernels.get(name)):
                after[name] = _mean_loss(net, crops, loss)
        best = min(after, key=lambda name: after[name])
        if best in kernels:
            kernels[best].into(net.get_submodule(str(spare[best].follower)))
        without_layers(net, [best])
        gone.append(Removal(best, before, after[best]))
    return gone


def _mean_loss(net: Net, crops: Crops, loss: nn.Module) -> float:
    return sum(float(loss(net(lr), hr)) for lr, hr in crops) / len(crops)


@contextmanager
def _without(net: Net, spare: Spare, kernel: ConvKernel | None) -> Iterator[None]:
    """Bypass layers within the block, with another kernel in their follower."""
    bypass = [(net.get_submodule(name), lambda _, inputs, __: inputs[0]) for name in spare.layers]
    follower = net.get_submodule(spare.follower) if spare.follower else None
    own = ConvKernel.of(follower) if follower and kernel else None
    try:
        if follower and kernel:
            kernel.into(follower)
        with forward_hooks(bypass):
            yield
    finally:
        if follower and own:
            own.into(follower)
