"""XLSR: grouped convolutions, a parallel branch from the input, and a clipped output.

Paper: Extremely Lightweight Quantization Robust Real-Time Single-Image Super Resolution for Mobile Devices,
arXiv 2105.10288 (CVPR workshops 2021, for the Mobile AI 2021 challenge at x3). Also the row "XLSR" of table 3 in
QuickSRNet, arXiv 2303.04336. Upstream: aimet_zoo_torch/xlsr of the AIMET model zoo (BSD-3-Clause), whose parameter
names are kept.

Differences from the paper:
- Its four parallel 3x3 convolutions 3 -> 8 are one convolution 3 -> 32; the function is the same.
- The clip comes before depth-to-space; the values are the same.
- x2 and x4 have the paper's x3 net with other output channels.
- The initialisation follows the public reimplementation cxzhou95/XLSR.
"""

import math

from torch import Tensor, nn

from sr.models.blocks import Concat, bias_of, check_scale, clip, conv
from sr.models.collapsible import collapse_convs
from sr.models.net import Net
from sr.models.overparameterize import expand_convs

_NAME = "XLSR"
_SCALES = (2, 3, 4)


class XLSR(Net):
    """Upscale with conv 3x3 to 32, three grouped blocks, a 16-channel side branch, convs 1x1 and 3x3, clip.

    Args:
        scale: 2, 3 or 4.
        overparameterize: "none", "sesr", "repsr" or "ecb": training-time branches (`sr.models.overparameterize`).

    Raises:
        ValueError: If the scale is not supported.
    """

    def __init__(self, *, scale: float, overparameterize: str) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        self.color = "rgb"
        self.size_multiple = 1
        self.residual = conv(3, 16, 3)
        self.cnn = nn.Sequential(conv(3, 32, 3), nn.ReLU(), conv(32, 32, 1), GBlock(), GBlock(), GBlock())
        self.concat = Concat()
        self.tail = nn.Sequential(conv(48, 32, 1), nn.ReLU(), conv(32, 3 * self.scale**2, 3))
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(self.scale)
        self._initialise()
        expand_convs(self, overparameterize)

    def _initialise(self) -> None:
        """Initialise with a tenth of He's variance by fan-out and biases of 0.01, so that few outputs are clipped."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                fan_out = layer.out_channels * math.prod(layer.kernel_size) // layer.groups
                nn.init.normal_(layer.weight, std=math.sqrt(0.2 / fan_out))
                nn.init.constant_(bias_of(layer), 0.01)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]."""
        features = self.concat(self.cnn(lr), self.residual(lr))
        return self.depth_to_space(self.clip(self.tail(features)))

    def collapse(self) -> Net:
        """Return a copy for inference, in which every convolution is a plain `nn.Conv2d`."""
        return collapse_convs(self)


class GBlock(nn.Module):
    """Grouped block: 3x3 convolution in four groups, ReLU, 1x1 convolution; 32 channels in all layers."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(conv(32, 32, 3, groups=4), nn.ReLU(), conv(32, 32, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, 32, h, w) to the same shape."""
        return self.net(features)
