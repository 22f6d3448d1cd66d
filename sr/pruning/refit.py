"""A convolution that makes up for the layer before it: its kernel by least squares, without any training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.models.blocks import bias_of
from sr.models.net import Net
from sr.pruning.layer_removal import Spare

RIDGE = 1e-3  # of the mean square of the inputs: holds what they do not decide at the kernel of before


@dataclass(frozen=True)
class ConvKernel:
    """Weight (out, in, k, k) and bias (out) of a convolution."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, layer: nn.Module) -> "ConvKernel":
        """A copy of a layer's."""
        assert isinstance(layer, nn.Conv2d)
        return cls(layer.weight.detach().clone(), bias_of(layer).detach().clone())

    @torch.no_grad()
    def into(self, layer: nn.Module) -> None:
        """Become a layer's."""
        assert isinstance(layer, nn.Conv2d)
        layer.weight.copy_(self.weight)
        bias_of(layer).copy_(self.bias)


class _Sums:
    """Of the least squares of one convolution: its future inputs with themselves, and with what it now lacks."""

    def __init__(self, layer: nn.Conv2d) -> None:
        rows = layer.weight[0].numel() + 1
        self.layer = layer
        self.inputs: Tensor | None = None
        self.squares = torch.zeros(rows, rows, dtype=torch.float64)
        self.products = torch.zeros(rows, layer.out_channels, dtype=torch.float64)

    def see(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Keep what goes into the layer that will be gone."""
        self.inputs = inputs[0]

    def add(self, _: nn.Module, __: Any, output: Tensor) -> None:
        """Compare what the convolution gives now with what it would give on these inputs."""
        assert self.inputs is not None
        layer = self.layer
        shape: dict[str, Any] = {"padding": layer.padding, "stride": layer.stride, "dilation": layer.dilation}
        patches = F.unfold(self.inputs, layer.kernel_size, **shape).transpose(1, 2).flatten(0, 1)
        patches = torch.cat([patches, patches.new_ones(len(patches), 1)], 1)
        lacking = output - F.conv2d(self.inputs, layer.weight, layer.bias, **shape)
        self.squares += patches.T @ patches
        self.products += patches.T @ lacking.flatten(2).transpose(1, 2).flatten(0, 1)

    def kernel(self) -> ConvKernel:
        """The convolution's kernel of now, and what the least squares add to it."""
        ridge = RIDGE * self.squares.diagonal().mean() * torch.eye(len(self.squares), dtype=torch.float64)
        change = torch.linalg.solve(self.squares + ridge, self.products).T.float()
        now = ConvKernel.of(self.layer)
        return ConvKernel(now.weight + change[:, :-1].reshape(now.weight.shape), now.bias + change[:, -1])


@torch.no_grad()
def refits(net: Net, spare: Mapping[str, Spare], inputs: Sequence[Tensor]) -> dict[str, ConvKernel]:
    """What the follower of each layer would have to be if that layer alone were gone.

    Args:
        net: a trained net in its inference form, on the CPU.
        spare: layers that can go (`sr.pruning.layer_removal`).
        inputs: (N, C, h, w) in [0, 1], which the net is run on.

    Returns:
        Layer -> kernel of its follower; layers without a follower, or with one without a bias, are not there.
    """
    sums: dict[str, _Sums] = {}
    hooks = []
    for name, each in spare.items():
        follower = net.get_submodule(each.follower) if each.follower else None
        if isinstance(follower, nn.Conv2d) and follower.bias is not None:
            sums[name] = _Sums(follower)
            hooks.append(net.get_submodule(name).register_forward_pre_hook(sums[name].see))
            hooks.append(follower.register_forward_hook(sums[name].add))
    try:
        for lr in inputs:
            net(lr)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: each.kernel() for name, each in sums.items()}
