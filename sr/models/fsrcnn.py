"""FSRCNN: shrink the features, map them with narrow convolutions, expand, and upscale by a final deconvolution.

Paper: Accelerating the Super-Resolution Convolutional Neural Network, arXiv 1608.00367 (ECCV 2016): FSRCNN(56, 12, 4),
Set5 36.94 dB x2, 33.06 dB x3, 30.55 dB x4. Also the row "FSRCNN" of table 3 in QuickSRNet, arXiv 2303.04336, which
replaces PReLU by ReLU.

Differences from the paper, each an argument: `color="rgb"`, `activation="relu"` and `upscaling="sub_pixel"`, for
hardware that is slow at PReLU and deconvolution. The paper has no x1.5.
"""

import math

from torch import Tensor, nn

from sr.models.blocks import NUM_CHANNELS, activation, bias_of, check_choice, check_count, check_scale, conv
from sr.models.collapsible import collapse_convs
from sr.models.net import Net
from sr.models.overparameterize import expand_convs

_NAME = "FSRCNN"
_SCALES = (2, 3, 4)

# Smallest odd kernel, at lr resolution, of a sub-pixel convolution that can represent a 9x9 deconvolution of stride s.
SUB_PIXEL_KERNEL = {2: 5, 3: 5, 4: 3}


class FSRCNN(Net):
    """Upscale with conv 5x5, shrinking conv 1x1, m mapping convs 3x3, expanding conv 1x1 and deconvolution 9x9.

    Args:
        d: Feature channels; 56 in the paper, 32 in its FSRCNN-s.
        s: Channels after shrinking; 12, or 5 in FSRCNN-s.
        m: Mapping convolutions; 4, or 1 in FSRCNN-s.
        scale: 2, 3 or 4.
        color: "y" (paper, luma only) or "rgb".
        activation: "prelu" (paper, one slope per channel) or "relu".
        upscaling: "deconvolution" (paper), or "sub_pixel": a convolution before depth-to-space, large enough to
            represent any such deconvolution exactly.
        overparameterize: "none", "sesr", "repsr" or "ecb": training-time branches (`sr.models.overparameterize`).

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(
        self,
        *,
        d: int,
        s: int,
        m: int,
        scale: float,
        color: str,
        activation: str,
        upscaling: str,
        overparameterize: str,
    ) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        self.color = check_choice(_NAME, "color", color, tuple(NUM_CHANNELS))
        check_choice(_NAME, "upscaling", upscaling, ("deconvolution", "sub_pixel"))
        for argument, value, least in (("d", d, 1), ("s", s, 1), ("m", m, 0)):
            check_count(_NAME, argument, value, least)
        self.size_multiple = 1
        channels = NUM_CHANNELS[color]
        self.extract = _layer(channels, d, 5, activation)
        self.shrink = _layer(d, s, 1, activation)
        self.mapping = nn.Sequential(*(_layer(s, s, 3, activation) for _ in range(m)))
        self.expand = _layer(s, d, 1, activation)
        self.upscale = _deconvolution(d, channels, self.scale)
        if upscaling == "sub_pixel":
            self.upscale = _sub_pixel(d, channels, self.scale)
        self._initialise()
        expand_convs(self, overparameterize)

    def _initialise(self) -> None:
        """Initialise as in the paper: He-normal weights by fan-out, the last layer from N(0, 0.001), zero biases."""
        convs = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
        for layer in convs:
            fan_out = layer.out_channels * math.prod(layer.kernel_size)
            nn.init.normal_(layer.weight, std=0.001 if layer is convs[-1] else math.sqrt(2 / fan_out))
            nn.init.zeros_(bias_of(layer))

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, C, h, w) in [0, 1] to sr (N, C, s*h, s*w), not clipped."""
        return self.upscale(self.expand(self.mapping(self.shrink(self.extract(lr)))))

    def collapse(self) -> Net:
        """Return a copy for inference, in which every convolution is a plain `nn.Conv2d`."""
        return collapse_convs(self)


def _layer(in_channels: int, out_channels: int, kernel_size: int, name: str) -> nn.Sequential:
    """Make a convolution and the activation after it."""
    check_choice(_NAME, "activation", name, ("prelu", "relu"))
    return nn.Sequential(conv(in_channels, out_channels, kernel_size), activation(_NAME, name, out_channels))


def _deconvolution(d: int, channels: int, scale: int) -> nn.Sequential:
    """Make the paper's 9x9 deconvolution, padded so that h becomes exactly scale * h."""
    return nn.Sequential(nn.ConvTranspose2d(d, channels, 9, stride=scale, padding=4, output_padding=scale - 1))


def _sub_pixel(d: int, channels: int, scale: int) -> nn.Sequential:
    """Make the convolution and depth-to-space that replace the deconvolution."""
    return nn.Sequential(conv(d, channels * scale**2, SUB_PIXEL_KERNEL[scale]), nn.PixelShuffle(scale))
