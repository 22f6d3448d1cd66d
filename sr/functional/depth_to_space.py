"""The two channel orders of depth-to-space: PyTorch's (CRD) and the one that hardware likes (DCR)."""

import torch
from torch import Tensor


def crd_to_dcr(channels: int, block: int) -> Tensor:
    """Permutation that brings the channels of a pixel shuffle, or of a pixel unshuffle, from CRD into DCR order.

    CRD (`nn.PixelShuffle`, `nn.PixelUnshuffle`) keeps sub-pixel q of colour c in channel `c*block^2 + q`; DCR (the
    other mode of ONNX's DepthToSpace, and the only one of its SpaceToDepth) keeps it in channel `q*channels + c`.

    - Before depth-to-space, permute the **rows** of the convolution (and of its bias and per-channel encodings):
      `weight[p]`, `bias[p]`; then the operator's mode is DCR and its output is the same.
    - After space-to-depth, permute the **input axis** of the convolution: `weight[:, p]`.

    Args:
        channels: channels on the large side (3 for an RGB image; f for f feature maps before an unshuffle).
        block: pixels per side of a block, the factor of the shuffle.

    Returns:
        (channels * block^2,) int64: new channel i is old channel `p[i]`; `p.argsort()` leads back.

    Raises:
        ValueError: if channels or block is not positive.

    >>> crd_to_dcr(3, 2).tolist()
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
    """
    if channels < 1 or block < 1:
        raise ValueError(f"channels and block must be positive, got channels={channels}, block={block}")
    return torch.arange(channels * block**2).view(channels, block**2).T.flatten()
