"""Structural reparameterization of any plain net: every convolution trains as a sum of branches.

Papers: RepSR, arXiv 2205.05671; ECBSR, Zhang et al., ACM MM 2021 (upstream xindongzhang/ECBSR, Apache-2.0); SESR,
arXiv 2103.09404. It reproduces no table: QuickSRNet's section 2 names these methods as alternatives to its own recipe,
and here they apply to the same net. The branches change only the effect of a gradient step; the net for inference is
the plain one.

Deviations:
- The forward pass runs one collapsed kernel, as in SESR's training; RepSR and ECBSR run every branch.
- RepSR's batch normalization is left out, because collapsed training does not compute the outputs of the branches.
- Expansion keeps the function of the net, so it works with identity initialisation and trained weights. The papers
  initialise all branches randomly.
- The width inside a branch is twice its output channels, ECBSR's depth multiplier, for RepSR too.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional import collapse
from sr.models.blocks import check_choice
from sr.models.collapsible import Branch, CollapsibleConv, ExpandSqueeze, glorot

_KINDS = ("none", "sesr", "repsr", "ecb")
_WIDTH_FACTOR = 2  # channels inside a branch, as a multiple of its output channels

EDGES = {
    "sobel_x": ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0)),
    "sobel_y": ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0)),
    "laplacian": ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0)),
}


class Direct(Branch):
    """Plain 3x3 convolution, the first branch of ECB.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, in, h, w) to (N, out, h, w)."""
        return F.conv2d(features, self.weight, self.bias, padding=1)

    def kernel(self) -> collapse.WeightAndBias:
        """Return weight and bias."""
        return self.weight, self.bias

    @torch.no_grad()
    def take(self, weight: Tensor, bias: Tensor) -> None:
        """Set weight and bias to those of a given convolution."""
        self.weight.copy_(weight)
        self.bias.copy_(bias)


class PointwiseFirst(Branch):
    """Expand with a 1x1 convolution, then reduce with a 3x3 convolution: the second branch of ECB.

    The 1x1 convolution does the padding, so that the two fold exactly (`sr.functional.collapse`).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        width: Channels between the two convolutions.
    """

    def __init__(self, in_channels: int, out_channels: int, *, width: int) -> None:
        super().__init__()
        self.expand = glorot(nn.Conv2d(in_channels, width, 1, padding=1))
        self.conv = glorot(nn.Conv2d(width, out_channels, 3))

    def forward(self, features: Tensor) -> Tensor:
        """Run both convolutions, (N, in, h, w) to (N, out, h, w)."""
        return self.conv(self.expand(features))

    def kernel(self) -> collapse.WeightAndBias:
        """Return weight and bias of the one convolution that this branch equals."""
        return collapse.fold_expand((self.expand.weight, self.expand.bias), (self.conv.weight, self.conv.bias))


class EdgeFilter(Branch):
    """Convolve 1x1, then apply a fixed 3x3 edge filter with a learnable factor per channel: ECB's other branches.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        edge: "sobel_x", "sobel_y" or "laplacian".
    """

    edge: Tensor

    def __init__(self, in_channels: int, out_channels: int, *, edge: str) -> None:
        super().__init__()
        self.expand = glorot(nn.Conv2d(in_channels, out_channels, 1, padding=1))
        self.factor = nn.Parameter(torch.randn(out_channels, 1, 1, 1) * 1e-3)  # as in ECBSR
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("edge", torch.tensor(EDGES[edge]), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Run both convolutions, (N, in, h, w) to (N, out, h, w)."""
        return F.conv2d(self.expand(features), self.factor * self.edge, self.bias, groups=len(self.bias))

    def kernel(self) -> collapse.WeightAndBias:
        """Return weight and bias of the one convolution that this branch equals."""
        return collapse.fold_depthwise((self.expand.weight, self.expand.bias), (self.factor * self.edge, self.bias))


def training_form(conv: nn.Conv2d, kind: str, forward_form: str) -> CollapsibleConv:
    """Return a block of branches that computes the same function as a plain convolution.

    Args:
        conv: A convolution for which `is_plain` holds.
        kind: "sesr": one expand-squeeze branch. "repsr": two of them. "ecb": a 3x3 convolution, a pointwise-first
            branch and three edge filters. With equal input and output channels, each also has a short skip.
        forward_form: "collapsed" or "expanded", see `CollapsibleConv`.

    Returns:
        The block, with the device and dtype of `conv`.
    """
    in_channels, out_channels, width = conv.in_channels, conv.out_channels, _WIDTH_FACTOR * conv.out_channels
    branches: list[Branch]
    if kind == "ecb":
        edges = [EdgeFilter(in_channels, out_channels, edge=edge) for edge in EDGES]
        branches = [Direct(in_channels, out_channels), PointwiseFirst(in_channels, out_channels, width=width), *edges]
    else:
        size = conv.kernel_size[0]
        branches = [
            ExpandSqueeze(in_channels, out_channels, width=width, kernel_size=size, expand_bias=True)
            for _ in range(2 if kind == "repsr" else 1)
        ]
    block = CollapsibleConv(*branches, skip=in_channels == out_channels, forward_form=forward_form).to(conv.weight)
    block.take(conv)
    return block


def is_plain(module: nn.Module, kind: str) -> bool:
    """Return whether a module is a convolution that can be replaced by branches.

    It must be trainable, with a square odd kernel of at least 3x3 (exactly 3x3 for "ecb") and zero padding that keeps
    the size, without stride, dilation or groups. A frozen anchor does not qualify.

    Args:
        module: Any module.
        kind: "sesr", "repsr" or "ecb".

    Example:
        >>> is_plain(nn.Conv2d(3, 8, 5, padding=2), "sesr"), is_plain(nn.Conv2d(3, 8, 5, padding=2), "ecb")
        (True, False)
    """
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros" or not module.weight.requires_grad:
        return False
    size = module.kernel_size[0]
    fits = size == 3 if kind == "ecb" else size % 2 == 1 and size >= 3
    shape = (module.kernel_size, module.padding, module.stride, module.dilation, module.groups)
    return fits and shape == ((size, size), (size // 2, size // 2), (1, 1), (1, 1), 1)


def expand_convs(net: nn.Module, kind: str) -> None:
    """Replace every plain convolution of a net by its training form, in place; the function of the net stays.

    `sr.models.collapsible.collapse_convs` returns to plain convolutions.

    Args:
        net: Any net.
        kind: "none" changes nothing; "sesr", "repsr" or "ecb" as in `training_form`.

    Raises:
        ValueError: If `kind` is none of these, or the net has no plain convolution.
    """
    name = type(net).__name__
    if check_choice(name, "overparameterize", kind, _KINDS) == "none":
        return
    children = [(parent, key, child) for parent in net.modules() for key, child in parent.named_children()]
    sites = [(parent, key, child) for parent, key, child in children if is_plain(child, kind)]
    if not sites:
        raise ValueError(f"{name} has no convolution that {kind!r} can replace: set overparameterize=none.")
    for parent, key, child in sites:
        setattr(parent, key, training_form(cast(nn.Conv2d, child), kind, "collapsed"))
