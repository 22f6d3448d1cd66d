"""EDSR-F32B5: a small EDSR that computes at LR resolution, the super-resolution net of MLPerf Mobile.

Source: MLCommons Mobile inference benchmark, task "super resolution" (x2, 960x540 to 1920x1080, INT8, at least 33 dB on
its 25 frames). Phone makers publish its time. The residual blocks are EDSR's (arXiv 1707.02921).

Deviation: the clip comes before depth-to-space. The values are the same, and it is quantized with the last convolution.
"""

from torch import Tensor, nn

from sr.models.blocks import Add, check_count, check_scale, clip, conv
from sr.models.edsr import EDSRBlock
from sr.models.net import Net

_NAME = "EDSR mobile"
_SCALES = (2, 3, 4)


class EDSRMobile(Net):
    """Upscale with conv 3 -> f, m residual blocks, conv f -> f, a long skip, conv f -> 3 s**2 and depth-to-space.

    Args:
        scale: 2, 3 or 4; the benchmark has x2.
        f: Feature channels; 32 in the benchmark.
        m: Residual blocks; 5 in the benchmark.

    Raises:
        ValueError: If a scale or count is not supported.
    """

    def __init__(self, *, scale: float, f: int, m: int) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 1)
        check_count(_NAME, "m", m, 1)
        self.color = "rgb"
        self.size_multiple = 1
        self.head = conv(3, f, 3)
        self.body = nn.Sequential(*[EDSRBlock(f, residual_scale=1.0) for _ in range(m)], conv(f, f, 3))
        self.add = Add()
        self.tail = conv(f, 3 * self.scale**2, 3)
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(self.scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]."""
        first = self.head(lr)
        return self.depth_to_space(self.clip(self.tail(self.add(self.body(first), first))))
