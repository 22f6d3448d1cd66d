"""Training-time overparameterisation of any plain net: every convolution trains as a sum of branches.

Papers: RepSR, arXiv 2205.05671; ECBSR, Zhang et al., ACM MM 2021 (upstream xindongzhang/ECBSR, Apache-2.0); SESR,
arXiv 2103.09404. Reproduces no table: QuickSRNet's section 2 names these nets as the alternatives to its own recipe,
and here both can be had on the same net. The branches change what a gradient step does; the deployed net is the plain
one.

Deviations:
- The forward pass runs one collapsed kernel, as SESR's training does; RepSR and ECBSR run their branches one by one.
- RepSR's batch normalization is left out: it needs the branches' outputs, which collapsed training saves.
- Expanding keeps the net's function, so that an identity initialisation or trained weights survive; the papers start
  all branches at random.
- The width between expand and squeeze is twice the output channels, ECBSR's depth multiplier, for RepSR too.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional import collapse
from sr.models.blocks import check_choice
from sr.models.collapsible import Branch, CollapsibleConv, ExpandSqueeze, glorot

KINDS = ("none", "sesr", "repsr", "ecb")
WIDTH = 2  # channels inside a branch, as a multiple of its output channels

EDGES = {
    "sobel_x": ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0)),
    "sobel_y": ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0)),
    "laplacian": ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0)),
}


class Direct(Branch):
    """A 3x3 convolution, nothing else: ECB's first branch."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, in, h, w) to (N, out, h, w)."""
        return F.conv2d(features, self.weight, self.bias, padding=1)

    def kernel(self) -> collapse.Kernel:
        """Return weight and bias."""
        return self.weight, self.bias

    @torch.no_grad()
    def take(self, weight: Tensor, bias: Tensor) -> None:
        """Become the given convolution."""
        self.weight.copy_(weight)
        self.bias.copy_(bias)


class PointwiseFirst(Branch):
    """A 1x1 convolution to more channels, then a 3x3 convolution back: ECB's second branch.

    The 1x1 does the padding, so that the 3x3 meets the 1x1's bias beyond the border and the two fold exactly.
    """

    def __init__(self, in_channels: int, out_channels: int, *, width: int) -> None:
        super().__init__()
        self.expand = glorot(nn.Conv2d(in_channels, width, 1, padding=1))
        self.conv = glorot(nn.Conv2d(width, out_channels, 3))

    def forward(self, features: Tensor) -> Tensor:
        """Run both convolutions, (N, in, h, w) to (N, out, h, w)."""
        return self.conv(self.expand(features))

    def kernel(self) -> collapse.Kernel:
        """Return weight and bias of the one convolution that this branch equals."""
        return collapse.fold_expand((self.expand.weight, self.expand.bias), (self.conv.weight, self.conv.bias))


class EdgeFilter(Branch):
    """A 1x1 convolution, then a fixed 3x3 edge filter with a learnable factor for each channel: ECB's other branches.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        edge: "sobel_x", "sobel_y" or "laplacian".
    """

    edge: Tensor

    def __init__(self, in_channels: int, out_channels: int, *, edge: str) -> None:
        super().__init__()
        self.expand = glorot(nn.Conv2d(in_channels, out_channels, 1, padding=1))
        self.factor = nn.Parameter(torch.randn(out_channels, 1, 1, 1) * 1e-3)  # ECBSR: edges start almost silent
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("edge", torch.tensor(EDGES[edge]), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Run both convolutions, (N, in, h, w) to (N, out, h, w)."""
        return F.conv2d(self.expand(features), self.factor * self.edge, self.bias, groups=len(self.bias))

    def kernel(self) -> collapse.Kernel:
        """Return weight and bias of the one convolution that this branch equals."""
        return collapse.fold_depthwise((self.expand.weight, self.expand.bias), (self.factor * self.edge, self.bias))


def training_form(conv: nn.Conv2d, kind: str, forward_form: str) -> CollapsibleConv:
    """Return a block of the same function as a plain convolution, with more to train.

    Args:
        conv: A convolution for which `is_plain` holds.
        kind: "sesr": one expand-squeeze branch. "repsr": two. "ecb": a 3x3 convolution, one expanded by a 1x1 in
            front, and three edge filters. Where input and output channels are equal, each adds a short skip.
        forward_form: "collapsed" or "expanded", as in `CollapsibleConv`.
    """
    in_channels, out_channels, width = conv.in_channels, conv.out_channels, WIDTH * conv.out_channels
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
    """Whether a module is a convolution that can train as branches.

    That is: trainable, a square odd kernel of 3x3 or more (3x3 exactly for "ecb"), zero padding of half of it, no
    stride, dilation or groups. A frozen anchor is none.
    """
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros" or not module.weight.requires_grad:
        return False
    size = module.kernel_size[0]
    fits = size == 3 if kind == "ecb" else size % 2 == 1 and size >= 3
    shape = (module.kernel_size, module.padding, module.stride, module.dilation, module.groups)
    return fits and shape == ((size, size), (size // 2, size // 2), (1, 1), (1, 1), 1)


def expand_convs(net: nn.Module, kind: str) -> None:
    """Replace, in place, every plain convolution of a net by its training form; the net's function stays.

    A net that does so returns to plain convolutions by `sr.models.collapsible.collapse_convs`, in its `collapse()`.

    Args:
        net: Any net.
        kind: "none" leaves the net alone; "sesr", "repsr" or "ecb" as in `training_form`.

    Raises:
        ValueError: for another kind, or when the net has no plain convolution.
    """
    name = type(net).__name__
    if check_choice(name, "overparameterize", kind, KINDS) == "none":
        return
    children = [(parent, key, child) for parent in net.modules() for key, child in parent.named_children()]
    sites = [(parent, key, child) for parent, key, child in children if is_plain(child, kind)]
    if not sites:
        raise ValueError(f"{name} has no convolution that {kind!r} can replace: set overparameterize=none.")
    for parent, key, child in sites:
        setattr(parent, key, training_form(cast(nn.Conv2d, child), kind, "collapsed"))
