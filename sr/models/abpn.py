"""ABPN: a plain stack of convolutions plus a nearest-neighbour residual (the anchor).

Paper: Anchor-based Plain Net for Mobile Image Super-Resolution, arXiv 2105.09750, winner of the Mobile AI 2021
challenge. Reproduces the PSNR of its final x3 net on DIV2K: 30.22 dB in float, 30.15 dB after QAT. Also reproduces
table 1 of QuickSRNet (arXiv 2303.04336): ABPN, ABPN without the residual, and the latter with identity initialisation
and ReLU1. Upstream: NJU-Jet/SR_Mobile_Quantization (challenge net) and aimet_zoo_torch/abpn (BSD-3-Clause); the
parameter names are those of the model zoo.

Deviations:
- Pixels are in [0, 1] instead of [0, 255].
- Depth-to-space uses PyTorch's channel order. Upstream's TensorFlow order puts the sub-pixel first, so the rows of
  upstream weights must be permuted.
- The anchor is a frozen 1x1 convolution as in the model zoo; the paper concatenates copies of the input. The values
  are the same.
- The clip comes before depth-to-space; the values are the same.
"""

import itertools

import torch
from torch import Tensor, nn

from sr.functional.collapse import anchor_kernel, identity_kernel
from sr.models.blocks import Add, Anchor, activation, check_choice, check_count, check_scale, clip, conv
from sr.models.collapsible import collapse_convs
from sr.models.net import Net
from sr.models.overparameterize import expand_convs

_NAME = "ABPN"
_SCALES = (2, 3, 4)


class ABPN(Net):
    """Upscale with conv 3 -> f, m convs f -> f, conv f -> 3 s**2, the anchor, a clip and depth-to-space.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels, at least 3; 28 in the paper.
        m: Intermediate convolutions; 5 in the paper, 4 in the challenge net.
        image_space_conv: Whether to add an activation and a convolution 3 s**2 -> 3 s**2 before the anchor, as in the
            challenge net.
        anchor: Whether to add the repeated input; False is QuickSRNet's "residual-free ABPN".
        activation: "relu", or "relu1", which clips to [0, 1].
        init: "random" is PyTorch's default. "identity" adds an identity kernel to each convolution; without an anchor
            the last convolution then starts as nearest-neighbour upscaling.
        overparameterize: "none", "sesr", "repsr" or "ecb": training-time branches (`sr.models.overparameterize`).

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(
        self,
        *,
        scale: float,
        f: int,
        m: int,
        image_space_conv: bool,
        anchor: bool,
        activation: str,
        init: str,
        overparameterize: str,
    ) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 3)
        check_count(_NAME, "m", m, 0)
        check_choice(_NAME, "activation", activation, ("relu", "relu1"))
        check_choice(_NAME, "init", init, ("random", "identity"))
        self.color = "rgb"
        self.size_multiple = 1
        slots = 3 * self.scale**2
        self.cnn = _stack([3, *[f] * (m + 1), slots, *([slots] if image_space_conv else [])], activation)
        self.anchor = Anchor(channels=3, block=self.scale, learnable=False) if anchor else None
        self.add = Add() if anchor else None
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(self.scale)
        if init == "identity":
            self._add_identity(m)
        expand_convs(self, overparameterize)

    @torch.no_grad()
    def _add_identity(self, m: int) -> None:
        """Add an identity kernel to each randomly initialised convolution.

        A net with an anchor keeps its image-space convolutions random, like QuickSRNet's large net.
        """
        convs = [layer for layer in self.cnn if isinstance(layer, nn.Conv2d)]
        for layer in convs[: m + 1]:
            layer.weight += identity_kernel(layer.out_channels, layer.in_channels, 3)
        if self.anchor is None:
            convs[m + 1].weight += anchor_kernel(3, convs[m + 1].in_channels, self.scale, 3)
            for layer in convs[m + 2 :]:
                layer.weight += identity_kernel(layer.out_channels, layer.in_channels, 3)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]."""
        blocks = self.cnn(lr)
        if self.anchor is not None and self.add is not None:
            blocks = self.add(blocks, self.anchor(lr))
        return self.depth_to_space(self.clip(blocks))

    def collapse(self) -> Net:
        """Return a copy for inference, in which every convolution is a plain `nn.Conv2d`."""
        return collapse_convs(self)


def _stack(channels: list[int], name: str) -> nn.Sequential:
    """Stack 3x3 convolutions with the given channel counts, with a separate activation between two of them."""
    layers: list[nn.Module] = []
    for in_channels, out_channels in itertools.pairwise(channels):
        layers += [conv(in_channels, out_channels, 3), activation(_NAME, name, out_channels)]
    return nn.Sequential(*layers[:-1])
