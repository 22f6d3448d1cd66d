"""SRResNet: the generator of SRGAN, residual blocks with batch normalization.

Paper: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, arXiv 1609.04802, figure 4.
Also the SRGAN row of the MESRGAN poster's table 1. There is no upstream code.

Differences, by arguments:
- `normalization="none"`: no batch normalization, as in most later implementations. Batch normalization is a cause of
  artefacts in adversarial training (ESRGAN, arXiv 1809.00219, section 3.1).
- `standardized` standardizes the pixels with the mean and deviation of the training set; the paper uses [0, 1].

The paper has x4 only; x2 and x3 here have one sub-pixel step. At inference, batch normalization is folded.
"""

import copy
from math import log2

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sr.models.blocks import Add, check_choice, check_count, check_scale, conv
from sr.models.net import Net
from sr.models.standardization import fold_into, pixel_layer

_NAME = "SRResNet"
_SCALES = (2, 3, 4)


class SRResNetBlock(nn.Module):
    """Residual block: conv, normalization, PReLU, conv, normalization, plus the input.

    Args:
        f: Feature channels.
        normalization: "batch" or "none".
    """

    def __init__(self, f: int, normalization: str) -> None:
        super().__init__()
        self.body = nn.Sequential(*_conv_norm(f, normalization), nn.PReLU(), *_conv_norm(f, normalization))
        self.add = Add()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        return self.add(self.body(features), features)


class SRResNet(Net):
    """Upscale with conv 9x9, m residual blocks with a long skip, sub-pixel upscaling and conv 9x9.

    Args:
        scale: 2, 3 or 4; x4 takes two steps of x2.
        f: Feature channels; 64 in the paper.
        m: Residual blocks; 16 in the paper.
        normalization: "batch" (paper) or "none".
        standardized: Whether to standardize pixels to mean 0 and deviation 1 (`sr.models.standardization`).

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(self, *, scale: float, f: int, m: int, normalization: str, standardized: bool) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 1)
        check_count(_NAME, "m", m, 1)
        check_choice(_NAME, "normalization", normalization, ("batch", "none"))
        self.color = "rgb"
        self.size_multiple = 1
        self.standardize = pixel_layer(standardized)
        self.head = nn.Sequential(conv(3, f, 9), nn.PReLU())
        self.body = nn.Sequential(*[SRResNetBlock(f, normalization) for _ in range(m)], *_conv_norm(f, normalization))
        self.add = Add()
        self.upsampler = _upsampler(f, self.scale)
        self.tail = conv(f, 3, 9)
        self.destandardize = pixel_layer(standardized)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w), not clipped."""
        first = self.head(lr if self.standardize is None else self.standardize(lr))
        sr = self.tail(self.upsampler(self.add(self.body(first), first)))
        return sr if self.destandardize is None else self.destandardize(sr)

    @torch.no_grad()
    def collapse(self) -> "SRResNet":
        """Return a copy for inference, with batch normalization and destandardization folded into convolutions."""
        net = copy.deepcopy(self).eval()
        for layers in [net.body, *(block.body for block in net.body if isinstance(block, SRResNetBlock))]:
            _fold_norms(layers)
        if net.destandardize is not None:
            fold_into(net.tail, net.destandardize)
            net.destandardize = None
        return net


def _conv_norm(f: int, normalization: str) -> list[nn.Module]:
    return [conv(f, f, 3), nn.BatchNorm2d(f)] if normalization == "batch" else [conv(f, f, 3)]


def _fold_norms(layers: nn.Sequential) -> None:
    """Fold each batch normalization into the convolution before it, in place."""
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            before = kept.pop()
            assert isinstance(before, nn.Conv2d)
            layer = fuse_conv_bn_eval(before, layer)
        kept.append(layer)
    del layers[:]
    layers.extend(kept)


def _upsampler(f: int, scale: int) -> nn.Sequential:
    """Make the upsampler: convolutions to f * block**2 channels, each followed by depth-to-space and PReLU."""
    block, steps = (3, 1) if scale == 3 else (2, int(log2(scale)))
    layers: list[nn.Module] = []
    for _ in range(steps):
        layers += [conv(f, f * block**2, 3), nn.PixelShuffle(block), nn.PReLU()]
    return nn.Sequential(*layers)
