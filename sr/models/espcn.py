"""ESPCN: three convolutions and depth-to-space, the first net with sub-pixel convolution.

Paper: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network,
arXiv 1609.05158 (CVPR 2016): trained on ImageNet, Set5 33.13 dB x3 and 30.90 dB x4. Also the row "ESPCN" of table 3 in
QuickSRNet, arXiv 2303.04336, where it is trained on RGB like the other nets.

Differences from the paper: weights start from PyTorch's default, because the paper does not state its initialisation.
"relu" and "rgb" are additions of this project. The paper has no x1.5.
"""

from torch import Tensor, nn

from sr.models.blocks import NUM_CHANNELS, activation, check_choice, check_scale, conv
from sr.models.collapsible import collapse_convs
from sr.models.net import Net
from sr.models.overparameterize import expand_convs

_NAME = "ESPCN"
_SCALES = (2, 3, 4)


class ESPCN(Net):
    """Upscale with conv 5x5 to 64 features, conv 3x3 to 32, conv 3x3 to C s**2 and depth-to-space.

    Args:
        scale: 2, 3 or 4.
        color: "y" (paper, luma only) or "rgb".
        activation: "tanh" (paper), or "relu" for hardware without tanh.
        overparameterize: "none", "sesr", "repsr" or "ecb": training-time branches (`sr.models.overparameterize`).

    Raises:
        ValueError: If a scale or choice is not supported.
    """

    def __init__(self, *, scale: float, color: str, activation: str, overparameterize: str) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        self.color = check_choice(_NAME, "color", color, tuple(NUM_CHANNELS))
        self.size_multiple = 1
        channels = NUM_CHANNELS[color]
        self.cnn = nn.Sequential(
            conv(channels, 64, 5),
            _activation(activation, 64),
            conv(64, 32, 3),
            _activation(activation, 32),
        )
        self.conv_last = conv(32, channels * self.scale**2, 3)
        self.depth_to_space = nn.PixelShuffle(self.scale)
        expand_convs(self, overparameterize)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, C, h, w) in [0, 1] to sr (N, C, s*h, s*w), not clipped."""
        return self.depth_to_space(self.conv_last(self.cnn(lr)))

    def collapse(self) -> Net:
        """Return a copy for inference, in which every convolution is a plain `nn.Conv2d`."""
        return collapse_convs(self)


def _activation(name: str, channels: int) -> nn.Module:
    return activation(_NAME, check_choice(_NAME, "activation", name, ("tanh", "relu")), channels)
