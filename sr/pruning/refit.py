"""Refit of the convolution behind a removed layer: its kernel by least squares, without training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional.hooks import forward_hooks
from sr.models.blocks import bias_of
from sr.models.net import Net
from sr.pruning.layer_removal import Spare

RIDGE = 1e-3  # share of the inputs' mean square: undetermined directions keep the kernel from before


@dataclass(frozen=True)
class ConvKernel:
    """Weight (out, in, k, k) and bias (out,) of a convolution."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, layer: nn.Module) -> "ConvKernel":
        """Return a copy of a layer's kernel."""
        assert isinstance(layer, nn.Conv2d)
        return cls(layer.weight.detach().clone(), bias_of(layer).detach().clone())

    @torch.no_grad()
    def into(self, layer: nn.Module) -> None:
        """Copy this kernel into a layer."""
        assert isinstance(layer, nn.Conv2d)
        layer.weight.copy_(self.weight)
        bias_of(layer).copy_(self.bias)


class _Sums:
    """Sums of the least squares of one convolution: squares of its future inputs, products with the missing output."""

    def __init__(self, layer: nn.Conv2d) -> None:
        rows = layer.weight[0].numel() + 1
        self.layer = layer
        self.inputs: Tensor | None = None
        self.squares = torch.zeros(rows, rows, dtype=torch.float64)
        self.products = torch.zeros(rows, layer.out_channels, dtype=torch.float64)

    def see(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Keep the input of the layer that will be removed."""
        self.inputs = inputs[0]

    def add(self, _: nn.Module, __: Any, output: Tensor) -> None:
        """Add the difference between the convolution's present output and its output on the future inputs."""
        assert self.inputs is not None
        layer = self.layer
        shape: dict[str, Any] = {"padding": layer.padding, "stride": layer.stride, "dilation": layer.dilation}
        patches = F.unfold(self.inputs, layer.kernel_size, **shape).transpose(1, 2).flatten(0, 1)
        patches = torch.cat([patches, patches.new_ones(len(patches), 1)], 1)
        lacking = output - F.conv2d(self.inputs, layer.weight, layer.bias, **shape)
        self.squares += patches.T @ patches
        self.products += patches.T @ lacking.flatten(2).transpose(1, 2).flatten(0, 1)

    def kernel(self) -> ConvKernel:
        """Return the present kernel plus the solution of the least squares."""
        ridge = RIDGE * self.squares.diagonal().mean() * torch.eye(len(self.squares), dtype=torch.float64)
        change = torch.linalg.solve(self.squares + ridge, self.products).T.float()
        now = ConvKernel.of(self.layer)
        return ConvKernel(now.weight + change[:, :-1].reshape(now.weight.shape), now.bias + change[:, -1])


@torch.no_grad()
def refits(net: Net, spare: Mapping[str, Spare], inputs: Sequence[Tensor]) -> dict[str, ConvKernel]:
    """Return, for each removable layer, the kernel that its follower needs if only that layer is removed.

    Args:
        net: Trained net in its inference form, on the CPU.
        spare: Layers that can be removed (`sr.pruning.layer_removal`).
        inputs: Inputs of the net (N, C, h, w) in [0, 1].

    Returns:
        Layer -> kernel of its follower; layers without a follower, or whose follower has no bias, are left out.
    """
    sums: dict[str, _Sums] = {}
    for name, each in spare.items():
        follower = net.get_submodule(each.follower) if each.follower else None
        if isinstance(follower, nn.Conv2d) and follower.bias is not None:
            sums[name] = _Sums(follower)
    with (
        forward_hooks(((net.get_submodule(name), each.see) for name, each in sums.items()), before=True),
        forward_hooks((each.layer, each.add) for each in sums.values()),
    ):
        for lr in inputs:
            net(lr)
    return {name: each.kernel() for name, each in sums.items()}
