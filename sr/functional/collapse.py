"""Linear convolution blocks folded into one convolution: exact at every pixel, biases included, and differentiable.

A chain or a sum of convolutions without an activation between them is itself one convolution. Every function here
takes and returns `(weight, bias)` as `nn.Conv2d` holds them, so gradients of a loss on the folded kernel reach the
kernels that it was folded from, and a net can train with the cheap form while it learns the rich one.

Why it is exact at the borders too: zero padding happens once, in front of the block. In a k x k convolution followed
by a 1x1 one this is so by nature. In a 1x1 convolution followed by a k x k one the padding has to move in front of
the 1x1 (`nn.Conv2d(in, p, 1, padding=k // 2)` and then a k x k convolution without padding): the frame then holds the
1x1's bias, which ECBSR and RepSR call bias padding. Padding with zeros between the two is a different function, which
no convolution equals.

Sources: SESR, arXiv 2103.09404 (linear blocks); RepSR, arXiv 2205.05671; Zhang et al., ACM MM 2021 (ECBSR). Algorithm
1 of the JAX re-implementation of SESR and the reference code of SESR send a unit impulse through the biased
convolutions, so that biases leak into the kernel; here the kernel comes from the weights alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

Kernel = tuple[Tensor, Tensor | None]


def identity_kernel(out_channels: int, in_channels: int, kernel_size: int) -> Tensor:
    """Return the kernel that copies input channel i to output channel i, for as many as both sides have.

    Added to a kernel it is that kernel's short skip; where the sides differ it is QuickSRNet's partial identity.

    Args:
        out_channels: Channels of the output.
        in_channels: Channels of the input.
        kernel_size: Side of the kernel in pixels, odd.

    Returns:
        Shape (out_channels, in_channels, kernel_size, kernel_size), ones at the centre and zeros elsewhere.

    Raises:
        ValueError: when the kernel is even and so has no centre.

    Example:
        >>> identity_kernel(2, 3, 3)[:, :, 1, 1].tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    return pad_kernel(torch.eye(out_channels, in_channels)[:, :, None, None], kernel_size)


def anchor_kernel(channels: int, in_channels: int, block: int, kernel_size: int) -> Tensor:
    """Return the kernel that repeats the first input channels in front of depth-to-space: nearest-neighbour upscaling.

    Args:
        channels: Channels of the image after depth-to-space, 3 for RGB and 1 for Y.
        in_channels: Channels of the input, at least `channels`; those beyond are ignored.
        block: Block size of the depth-to-space that follows.
        kernel_size: Side of the kernel in pixels, odd.

    Returns:
        Shape (channels * block**2, in_channels, kernel_size, kernel_size). Output `c * block**2 + p` copies input
        `c`: the order of `nn.PixelShuffle` (CRD).

    Raises:
        ValueError: when the kernel is even.

    Example:
        >>> anchor_kernel(1, 2, 2, 1).flatten(1).tolist()
        [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    """
    return identity_kernel(channels, in_channels, kernel_size).repeat_interleave(block**2, dim=0)


def pad_kernel(weight: Tensor, kernel_size: int) -> Tensor:
    """Return the same convolution written with a larger kernel, zeros around the given one.

    Args:
        weight: Shape (out, in, k, k), k odd and at most `kernel_size`.
        kernel_size: Side of the kernel wanted, odd.

    Raises:
        ValueError: when either side is even or the kernel would have to shrink.
    """
    margin, rest = divmod(kernel_size - weight.shape[-1], 2)
    if margin < 0 or rest or kernel_size % 2 == 0:
        raise ValueError(
            f"a {weight.shape[-1]}x{weight.shape[-1]} kernel cannot be centred in {kernel_size}x{kernel_size}: "
            "both sides must be odd and the second no smaller."
        )
    return F.pad(weight, (margin,) * 4)


def fold_squeeze(expand: Kernel, squeeze: Kernel) -> Kernel:
    """Fold a k x k convolution and the 1x1 convolution after it into one k x k convolution.

    Args:
        expand: Weight (p, in, k, k) and bias (p,) or None of the first.
        squeeze: Weight (out, p, 1, 1) and bias (out,) or None of the second.

    Returns:
        Weight (out, in, k, k) and bias (out,), the bias None when neither has one.

    Example:
        >>> one = torch.ones(1, 1, 1, 1)
        >>> fold_squeeze((3 * one, torch.tensor([1.0])), (2 * one, None))
        (tensor([[[[6.]]]]), tensor([2.]))
    """
    matrix = squeeze[0].flatten(1)
    weight = (matrix @ expand[0].flatten(1)).view(matrix.shape[0], *expand[0].shape[1:])
    return weight, _add_bias(None if expand[1] is None else matrix @ expand[1], squeeze[1])


def fold_expand(expand: Kernel, conv: Kernel) -> Kernel:
    """Fold a 1x1 convolution and the k x k convolution after it, which reads the 1x1's bias beyond the border.

    Args:
        expand: Weight (p, in, 1, 1) and bias (p,) or None of the first. It does the padding: see the head of this
            file.
        conv: Weight (out, p, k, k) and bias (out,) or None of the second.

    Returns:
        Weight (out, in, k, k) and bias (out,), the bias None when neither has one.
    """
    weight = torch.einsum("opyx,pi->oiyx", conv[0], expand[0].flatten(1))
    return weight, _add_bias(None if expand[1] is None else conv[0].sum((2, 3)) @ expand[1], conv[1])


def fold_depthwise(expand: Kernel, depthwise: Kernel) -> Kernel:
    """Fold a 1x1 convolution and the depthwise k x k convolution after it, padded as in `fold_expand`.

    Args:
        expand: Weight (out, in, 1, 1) and bias (out,) or None of the first.
        depthwise: Weight (out, 1, k, k) and bias (out,) or None of the second.

    Returns:
        Weight (out, in, k, k) and bias (out,), the bias None when neither has one.
    """
    weight = expand[0] * depthwise[0]
    return weight, _add_bias(None if expand[1] is None else depthwise[0].sum((1, 2, 3)) * expand[1], depthwise[1])


def _add_bias(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """Return the sum of two biases of which either may be absent."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
