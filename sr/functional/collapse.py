"""Fold linear convolution blocks into one convolution (structural reparameterization), biases included.

A chain or a sum of convolutions without an activation between them equals one convolution. Every function takes and
returns `(weight, bias)` as `nn.Conv2d` stores them, and is differentiable. A net can therefore train its expanded
weights while the forward pass runs the folded kernel.

The fold is exact at the borders if the block pads only once, before its first convolution:

- k x k, then 1x1: this holds without further measures.
- 1x1, then k x k: the 1x1 convolution must do the padding (`nn.Conv2d(in, p, 1, padding=k // 2)`, then a k x k
  convolution without padding). The border of the intermediate features then holds the bias of the 1x1 convolution;
  ECBSR and RepSR call this bias padding. With zero padding between the two, no single convolution is equal.

Sources: SESR, arXiv 2103.09404 (linear blocks); RepSR, arXiv 2205.05671; ECBSR, Zhang et al., ACM MM 2021. SESR's
reference code and algorithm 1 of its JAX re-implementation send a unit impulse through the biased convolutions, so
that biases leak into the kernel. Here the kernel is computed from the weights alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

WeightAndBias = tuple[Tensor, Tensor | None]
"""Weight (out, in, k, k) and bias (out,) of a convolution."""


def identity_kernel(out_channels: int, in_channels: int, kernel_size: int) -> Tensor:
    """Return the kernel that copies input channel i to output channel i.

    Channels that only one side has are ignored. Adding this kernel to another one adds a short skip connection; with
    different channel counts it is QuickSRNet's partial identity.

    Args:
        out_channels: Channels of the output.
        in_channels: Channels of the input.
        kernel_size: Side of the kernel in pixels, odd.

    Returns:
        Shape (out_channels, in_channels, kernel_size, kernel_size), ones at the centre and zeros elsewhere.

    Raises:
        ValueError: If `kernel_size` is even; such a kernel has no centre.

    Example:
        >>> identity_kernel(2, 3, 3)[:, :, 1, 1].tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    return pad_kernel(torch.eye(out_channels, in_channels)[:, :, None, None], kernel_size)


def anchor_kernel(channels: int, in_channels: int, block: int, kernel_size: int) -> Tensor:
    """Return the kernel that, followed by depth-to-space, upscales by nearest neighbour.

    Args:
        channels: Channels of the image after depth-to-space, 3 for RGB and 1 for Y.
        in_channels: Channels of the input, at least `channels`; further channels are ignored.
        block: Block size of the depth-to-space that follows.
        kernel_size: Side of the kernel in pixels, odd.

    Returns:
        Shape (channels * block**2, in_channels, kernel_size, kernel_size). Output `c * block**2 + p` copies input
        `c`: the order of `nn.PixelShuffle` (CRD).

    Raises:
        ValueError: If `kernel_size` is even.

    Example:
        >>> anchor_kernel(1, 2, 2, 1).flatten(1).tolist()
        [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    """
    return identity_kernel(channels, in_channels, kernel_size).repeat_interleave(block**2, dim=0)


def strided_anchor_kernel(channels: int, in_channels: int, scale: int) -> Tensor:
    """Return the 2x2 kernel of stride 2 that, followed by depth-to-space(2 scale), upscales by nearest neighbour.

    Args:
        channels: Channels of the image after depth-to-space, 3 for RGB and 1 for Y.
        in_channels: Channels of the input, at least `channels`; further channels are ignored.
        scale: Upscaling factor.

    Returns:
        Shape (channels * (2 * scale)**2, in_channels, 2, 2), in the order of `nn.PixelShuffle` (CRD).

    Example:
        >>> strided_anchor_kernel(1, 1, 2).flatten(1).argmax(1).view(4, 4).tolist()
        [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    tap = torch.arange(2 * scale) // scale  # sub-pixel -> which of two LR pixels
    copies = torch.eye(2)[tap]
    taps = torch.einsum("ry,cx->rcyx", copies, copies).reshape(-1, 2, 2)
    colours = torch.eye(channels, in_channels)
    return torch.einsum("ki,pyx->kpiyx", colours, taps).reshape(-1, in_channels, 2, 2)


def pad_kernel(weight: Tensor, kernel_size: int) -> Tensor:
    """Pad a kernel with zeros to a larger size; the convolution stays the same.

    Args:
        weight: Shape (out, in, k, k), k odd and at most `kernel_size`.
        kernel_size: Side of the padded kernel in pixels, odd.

    Returns:
        Shape (out, in, kernel_size, kernel_size).

    Raises:
        ValueError: If a side is even or `kernel_size` is smaller than k.

    Example:
        >>> pad_kernel(torch.ones(1, 1, 1, 1), 3)[0, 0].tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    margin, rest = divmod(kernel_size - weight.shape[-1], 2)
    if margin < 0 or rest or kernel_size % 2 == 0:
        raise ValueError(
            f"a {weight.shape[-1]}x{weight.shape[-1]} kernel cannot be centred in {kernel_size}x{kernel_size}: "
            "give two odd sizes, the second at least as large as the first."
        )
    return F.pad(weight, (margin,) * 4)


def fold_squeeze(expand: WeightAndBias, squeeze: WeightAndBias) -> WeightAndBias:
    """Fold a k x k convolution and the following 1x1 convolution into one k x k convolution.

    W = S E and b = S b_E + b_S, with the kernels as matrices (out, p) and (p, in k k).

    Args:
        expand: Weight (p, in, k, k) and bias (p,) or None of the first convolution.
        squeeze: Weight (out, p, 1, 1) and bias (out,) or None of the second convolution.

    Returns:
        Weight (out, in, k, k) and bias (out,); the bias is None if neither convolution has one.

    Example:
        >>> one = torch.ones(1, 1, 1, 1)
        >>> fold_squeeze((3 * one, torch.tensor([1.0])), (2 * one, None))
        (tensor([[[[6.]]]]), tensor([2.]))
    """
    matrix = squeeze[0].flatten(1)
    weight = (matrix @ expand[0].flatten(1)).view(matrix.shape[0], *expand[0].shape[1:])
    return weight, _add_bias(None if expand[1] is None else matrix @ expand[1], squeeze[1])


def fold_expand(expand: WeightAndBias, conv: WeightAndBias) -> WeightAndBias:
    """Fold a 1x1 convolution and the following k x k convolution into one k x k convolution.

    Args:
        expand: Weight (p, in, 1, 1) and bias (p,) or None of the first convolution, which must do the padding (see the
            docstring of this module).
        conv: Weight (out, p, k, k) and bias (out,) or None of the second convolution.

    Returns:
        Weight (out, in, k, k) and bias (out,); the bias is None if neither convolution has one.

    Example:
        >>> one = torch.ones(1, 1, 1, 1)
        >>> fold_expand((3 * one, torch.tensor([1.0])), (2 * one, None))
        (tensor([[[[6.]]]]), tensor([2.]))
    """
    weight = torch.einsum("opyx,pi->oiyx", conv[0], expand[0].flatten(1))
    return weight, _add_bias(None if expand[1] is None else conv[0].sum((2, 3)) @ expand[1], conv[1])


def fold_depthwise(expand: WeightAndBias, depthwise: WeightAndBias) -> WeightAndBias:
    """Fold a 1x1 convolution and the following depthwise k x k convolution, padded as in `fold_expand`.

    Args:
        expand: Weight (out, in, 1, 1) and bias (out,) or None of the first convolution.
        depthwise: Weight (out, 1, k, k) and bias (out,) or None of the second convolution.

    Returns:
        Weight (out, in, k, k) and bias (out,); the bias is None if neither convolution has one.

    Example:
        >>> one = torch.ones(1, 1, 1, 1)
        >>> fold_depthwise((3 * one, torch.tensor([1.0])), (2 * one, torch.tensor([5.0])))
        (tensor([[[[6.]]]]), tensor([7.]))
    """
    weight = expand[0] * depthwise[0]
    return weight, _add_bias(None if expand[1] is None else depthwise[0].sum((1, 2, 3)) * expand[1], depthwise[1])


def _add_bias(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """Return the sum of two biases; None counts as zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
