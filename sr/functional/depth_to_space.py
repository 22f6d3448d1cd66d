"""Convert between the two channel orders of depth-to-space: CRD (PyTorch) and DCR (most hardware)."""

import torch
from torch import Tensor


def crd_to_dcr(channels: int, block: int) -> Tensor:
    """Return the permutation p that reorders the channels of depth-to-space from CRD to DCR.

    CRD (`nn.PixelShuffle`, `nn.PixelUnshuffle`) stores sub-pixel q of color c in channel `c*block^2 + q`. DCR (the
    other mode of ONNX's DepthToSpace, and the only mode of its SpaceToDepth) stores it in channel `q*channels + c`.

    - Before depth-to-space, permute the **rows** of the convolution, its bias and its per-channel encodings:
      `weight[p]`, `bias[p]`. With mode DCR the operator then gives the same output.
    - After space-to-depth, permute the **input axis** of the convolution: `weight[:, p]`.

    Args:
        channels: Channels of the tensor with the larger height and width (3 for RGB, f for f feature maps).
        block: Block size in pixels per side, the factor of the shuffle.

    Returns:
        (channels * block^2,) int64: new channel i is old channel `p[i]`; `p.argsort()` is the inverse.

    Raises:
        ValueError: If `channels` or `block` is not positive.

    Example:
        >>> crd_to_dcr(3, 2).tolist()
        [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
    """
    if channels < 1 or block < 1:
        raise ValueError(f"channels and block must be positive, got channels={channels}, block={block}")
    return torch.arange(channels * block**2).view(channels, block**2).T.flatten()
