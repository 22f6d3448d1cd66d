"""ESPCN: three convolutions and the first sub-pixel output.

Paper: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network,
arXiv 1609.05158 (CVPR 2016): its net trained on ImageNet, Set5 33.13 dB x3 and 30.90 dB x4; row "ESPCN" of table 3 in
QuickSRNet, arXiv 2303.04336, where it is trained on RGB like the other nets.

Differences from the paper: weights start from PyTorch's default, since the paper does not say how they start; "relu"
and "rgb" are ours. The paper has no x1.5.
"""

from torch import Tensor, nn

from sr.models.blocks import NUM_CHANNELS, activation, check_choice, check_scale, conv
from sr.models.collapsible import collapse_convs
from sr.models.net import Net
from sr.models.overparameterize import expand_convs

NAME = "ESPCN"
SCALES = (2, 3, 4)


class ESPCN(Net):
    """5x5 convolution to 64 features, 3x3 to 32, 3x3 to C s**2, then depth-to-space; the output is not clipped.

    Args:
        scale: 2, 3 or 4.
        color: "y" (the paper's: luma only) or "rgb".
        activation: "tanh" (the paper's), or "relu" where hardware lacks tanh.
        overparameterize: "none", or how each convolution trains: "sesr", "repsr", "ecb" (`sr.models.overparameterize`).

    Raises:
        ValueError: for a scale or word that it does not know.
    """

    def __init__(self, *, scale: float, color: str, activation: str, overparameterize: str) -> None:
        super().__init__()
        self.scale: int = check_scale(NAME, scale, SCALES)
        self.color = check_choice(NAME, "color", color, tuple(NUM_CHANNELS))
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
        """Return a copy whose convolutions are all plain, whatever they train as."""
        return collapse_convs(self)


def _activation(name: str, channels: int) -> nn.Module:
    return activation(NAME, check_choice(NAME, "activation", name, ("tanh", "relu")), channels)
