"""Collapsible linear blocks: convolutions that train as several branches and run as one convolution.

SESR and `sr.models.overparameterize` are built from them.

Paper: SESR, arXiv 2103.09404: its linear blocks and their efficient training. Upstream: ARM-software/sesr (Apache-2.0).
A re-implementation of SESR in JAX reports a training step of SESR-M5 that is 1.7 times faster with collapsed kernels in
the forward pass; `python -m sr.bench collapse` measures it here.

Deviation: in upstream's code the biases of a block leak into its collapsed kernel, and the block's own bias is dropped
(its issue 14). Here "collapsed" and "expanded" are the same function at every pixel (`sr.functional.collapse`), and
"reference" is upstream's.
"""

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional import collapse
from sr.models.blocks import bias_of, check_choice

_ModuleT = TypeVar("_ModuleT", bound=nn.Module)

FORWARD_FORMS = ("collapsed", "expanded", "reference")


class Branch(nn.Module, ABC):
    """Chain of convolutions without activations that pads its input once with zeros and keeps height and width."""

    @abstractmethod
    def kernel(self) -> collapse.WeightAndBias:
        """Return weight (out, in, k, k) and bias (out,) or None of the convolution equal to this branch."""

    def take(self, weight: Tensor, bias: Tensor) -> None:
        """Set the weights so that the branch equals a given convolution; only a block's first branch needs this."""
        raise TypeError(f"{type(self).__name__} cannot represent a given convolution; use it after the first branch")


class ExpandSqueeze(Branch):
    """Expand with a k x k convolution, then reduce with a 1x1 convolution: SESR's linear block, RepSR's branch.

    Initialised as in SESR's code: Glorot-uniform kernels, zero biases.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        width: Channels between the two convolutions; at least `out_channels` for `take`.
        kernel_size: Side of the first kernel in pixels, odd.
        expand_bias: Whether the first convolution also has a bias.
    """

    def __init__(self, in_channels: int, out_channels: int, *, width: int, kernel_size: int, expand_bias: bool) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.expand = glorot(nn.Conv2d(in_channels, width, kernel_size, padding=padding, bias=expand_bias))
        self.squeeze = glorot(nn.Conv2d(width, out_channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Run both convolutions, (N, in, h, w) to (N, out, h, w)."""
        return self.squeeze(self.expand(features))

    def kernel(self) -> collapse.WeightAndBias:
        """Return weight and bias of the convolution equal to this branch."""
        return collapse.fold_squeeze((self.expand.weight, self.expand.bias), (self.squeeze.weight, self.squeeze.bias))

    @torch.no_grad()
    def take(self, weight: Tensor, bias: Tensor) -> None:
        """Set the first kernel so that the branch equals a given convolution; the 1x1 convolution stays unchanged."""
        inverse = torch.linalg.pinv(self.squeeze.weight.flatten(1).double())
        self.expand.weight.copy_((inverse @ weight.flatten(1).double()).view(self.expand.weight.shape))
        if self.expand.bias is not None:
            self.expand.bias.zero_()
        bias_of(self.squeeze).copy_(bias)


class CollapsibleConv(nn.Module):
    """Convolve with a zero-padded k x k kernel that trains as a sum of linear branches.

    Args:
        *branches: At least one branch, all of the same channels and kernel size.
        skip: Whether to add the input to the sum: the short skip of SESR and RepSR.
        forward_form: "collapsed" computes the kernel and runs one convolution, "expanded" runs every branch. Outputs
            and gradients are the same, the speed differs. "reference" is another function: each bias is added to all
            taps of its output channel, and the convolution has none.

    Raises:
        ValueError: If `forward_form` is none of the three.
    """

    skip: Tensor | None
    mask: Tensor | None

    def __init__(self, *branches: Branch, skip: bool, forward_form: str) -> None:
        super().__init__()
        self.forward_form = check_choice("CollapsibleConv", "forward_form", forward_form, FORWARD_FORMS)
        self.branches = nn.ModuleList(branches)
        shape = branches[0].kernel()[0].shape
        self.padding = shape[-1] // 2
        self.register_buffer("skip", collapse.identity_kernel(*shape[:3]) if skip else None, persistent=False)
        self.register_buffer("mask", None, persistent=False)  # of `sr.pruning.masks`; its keeper saves it

    def kernel(self) -> tuple[Tensor, Tensor]:
        """Return weight (out, in, k, k) and bias (out,) of the convolution equal to this block."""
        kernels = [cast(Branch, branch).kernel() for branch in self.branches]
        weights = [weight for weight, _ in kernels] + ([] if self.skip is None else [self.skip])
        weight, bias = _total(weights), _total([bias for _, bias in kernels if bias is not None])
        if self.forward_form == "reference":
            weight, bias = weight + bias[:, None, None, None], torch.zeros_like(bias)
        return weight if self.mask is None else weight * self.mask, bias

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, in, h, w) to (N, out, h, w)."""
        if self.forward_form == "expanded" and self.mask is None:
            outputs = [branch(features) for branch in self.branches]
            return _total(outputs if self.skip is None else [*outputs, features])
        with torch.autocast(features.device.type, enabled=False):  # bf16 would round the kernel twice
            weight, bias = self.kernel()
        return F.conv2d(features, weight, bias, padding=self.padding)

    @torch.no_grad()
    def take(self, conv: nn.Conv2d) -> None:
        """Set the first branch so that the block equals a given convolution; other branches and skip stay.

        Raises:
            ValueError: If the block has the form "reference", whose convolution has no bias.
        """
        if self.forward_form == "reference":
            raise ValueError("a block with forward_form=reference cannot equal a given convolution: it has no bias")
        first = cast(Branch, self.branches[0])
        weight, bias = self.kernel()
        own_weight, own_bias = first.kernel()
        target = torch.zeros_like(bias) if conv.bias is None else conv.bias
        assert own_bias is not None
        first.take(conv.weight - (weight - own_weight), target - (bias - own_bias))

    @torch.no_grad()
    def collapse(self) -> nn.Conv2d:
        """Return an ordinary convolution that computes the same function."""
        weight, bias = self.kernel()
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[-1], padding=self.padding)
        conv.weight, conv.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        return conv.train(self.training)


def collapse_convs(net: _ModuleT) -> _ModuleT:
    """Return a copy of a net in which every `CollapsibleConv` is one `nn.Conv2d`; the net itself stays unchanged.

    Example:
        >>> block = CollapsibleConv(
        ...     ExpandSqueeze(3, 4, width=16, kernel_size=3, expand_bias=True), skip=False, forward_form="collapsed"
        ... )
        >>> collapse_convs(nn.Sequential(block))
        Sequential(
          (0): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
        )
    """
    net = copy.deepcopy(net)
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, CollapsibleConv):
                setattr(parent, name, child.collapse())
    return net


def set_forward_form(net: nn.Module, forward_form: str) -> None:
    """Set the forward form of every `CollapsibleConv` of a net, in place.

    Args:
        net: Any net.
        forward_form: "collapsed", "expanded" or "reference".

    Raises:
        ValueError: If `forward_form` is none of the three.
    """
    check_choice(type(net).__name__, "forward_form", forward_form, FORWARD_FORMS)
    for module in net.modules():
        if isinstance(module, CollapsibleConv):
            module.forward_form = forward_form


def glorot(conv: nn.Conv2d) -> nn.Conv2d:
    """Initialise a convolution with Glorot-uniform weights and zero biases (Keras's defaults) and return it."""
    nn.init.xavier_uniform_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def _total(tensors: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of the same shape."""
    return functools.reduce(torch.add, tensors)
