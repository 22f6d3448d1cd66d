"""Importance of each feature of a net: magnitude of its filters, or Fisher information."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.functional.hooks import forward_hooks
from sr.models.net import Net
from sr.pruning.dependency_graph import IMAGE, Channels

Scores = dict[int, float]


@torch.no_grad()
def magnitude(net: nn.Module, channels: Channels) -> Scores:
    """Return the L2 norm of the filters of each feature, over all layers, divided by the mean of its group.

    The scale of weights differs between groups for other reasons, hence the division (arXiv 1608.08710 compares within
    a layer).

    Args:
        net: Trained net in its inference form.
        channels: Features of this net.

    Returns:
        Feature -> score, at least 0, with a mean of 1 in each group.
    """
    squares: Scores = {}
    for name, labels in channels.outputs.items():
        layer = net.get_submodule(name)
        weight: Any = layer.weight
        filters = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
        for label, value in zip(labels, filters.square().flatten(1).sum(1).tolist(), strict=False):
            squares[label] = squares.get(label, 0.0) + value
    scores: Scores = {}
    for group in channels.groups():
        lengths = {feature: squares[feature] ** 0.5 for feature in group.features}
        mean = sum(lengths.values()) / len(lengths) or 1.0
        scores |= {feature: length / mean for feature, length in lengths.items()}
    return scores


def fisher(net: Net, channels: Channels, batches: Iterable[tuple[Tensor, Tensor]], loss: nn.Module) -> Scores:
    """Return the Fisher information of a gate on each feature: the rise of the loss without it, to second order.

    For each image the gradient of the loss with respect to a gate is the sum of activation times gradient, over all
    pixels and over all channels of the feature. Its square is averaged over images. Scores are comparable between
    layers.

    Args:
        net: Trained net in its inference form, on the CPU.
        channels: Features of this net.
        batches: uint8 RGB batches of training crops, lr (N, 3, h, w) and hr (N, 3, s*h, s*w).
        loss: Module (sr, hr) -> scalar, a mean over images.

    Returns:
        Feature -> score, at least 0.

    Source: Theis et al. (arXiv 1801.05787), equation 7.
    """
    size = 1 + max(label for labels in channels.outputs.values() for label in labels)
    total = torch.zeros(size, dtype=torch.float64)
    count = 0
    for lr, hr in batches:
        gates = torch.zeros(len(lr), size, dtype=torch.float64)
        hooks = [
            (net.get_submodule(name), partial(_watch, torch.tensor(labels), gates))
            for name, labels in channels.outputs.items()
            if any(label != IMAGE for label in labels)
        ]
        with forward_hooks(hooks):
            net.zero_grad()
            # A mean over images divides each image's gradient by their number.
            (len(lr) * loss(net(to_network(lr, net)), to_network(hr, net))).backward()
        total += gates.square().sum(0)
        count += len(lr)
    net.zero_grad(set_to_none=True)
    features = [feature for group in channels.groups() for feature in group.features]
    return {feature: float(total[feature]) / (2 * count) for feature in features}


def _watch(labels: Tensor, gates: Tensor, _: nn.Module, __: Any, output: Tensor) -> None:
    """Add output times gradient to the gates when the gradient of a layer's output (N, C, h, w) arrives."""

    def add(gradient: Tensor) -> None:
        gates.index_add_(1, labels, (output.detach() * gradient).sum((2, 3), dtype=torch.float64))

    output.register_hook(add)
