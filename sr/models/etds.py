"""ETDS: a net that trains as two streams and runs as QuickSRNet's plain stack of convolutions.

Paper: Equivalent Transformation and Dual Stream Network Construction for Mobile Image Super-Resolution, CVPR 2023
(Chao et al.). Upstream: ECNUSR/ETDS (Apache-2.0), whose parameter names are kept. Its sizes are M5C16, M4C32, M6C32 and
M7C48: m convolutions of f channels between the first and the last.

The second stream has few channels and starts as a copy of the image: it carries the low frequencies. The first stream
reads it, it does not read the first. Both together are one convolution per layer, with a block of zeros.

Deviations:
- The clip to [0, 1] is an activation before depth-to-space. Upstream's net for inference writes it as a 1x1
  convolution and two ReLUs, which adds 156 parameters at x2.
- Upstream keeps the second stream fixed for the first sixteenth of the training; here it trains from the start.
- The loss of the second stream's own image is `task=dual_stream`.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional.collapse import anchor_kernel, identity_kernel
from sr.models.blocks import activation as make_activation
from sr.models.blocks import bias_of, check_choice, check_count, check_scale, clip, conv
from sr.models.net import Net
from sr.models.quicksrnet import QuickSRNet

_NAME = "ETDS"
_SCALES = (2, 3, 4)


class ETDS(Net):
    """Upscale with conv 3 -> f, m convs f -> f and conv f -> 3 s**2, each trained as two streams.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels of both streams together, more than `low_f`.
        m: Convolutions between the first and the last.
        low_f: Channels of the second stream, at least 3; 3 in the paper.
        activation: "relu" (paper) or "relu1".

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(self, *, scale: float, f: int, m: int, low_f: int, activation: str) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "low_f", low_f, 3)
        check_count(_NAME, "f", f, low_f + 1)
        check_count(_NAME, "m", m, 0)
        self.activation = check_choice(_NAME, "activation", activation, ("relu", "relu1"))
        self.color = "rgb"
        self.size_multiple = 1
        high, slots = f - low_f, 3 * self.scale**2
        self.conv_first, self.conv_residual_first = conv(3, high, 3), conv(3, low_f, 3)
        self.backbone_convs = nn.ModuleList(conv(high, high, 3) for _ in range(m))
        self.residual_convs = nn.ModuleList(conv(low_f, low_f, 3) for _ in range(m))
        self.add_residual_convs = nn.ModuleList(conv(low_f, high, 3) for _ in range(m))
        self.conv_last, self.conv_residual_last = conv(high, slots, 3), conv(low_f, slots, 3)
        self.activations = nn.ModuleList(make_activation(_NAME, activation, f) for _ in range(m + 1))
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(self.scale)
        self._init_low_stream()

    @torch.no_grad()
    def _init_low_stream(self) -> None:
        """Start the second stream as nearest-neighbour upscaling that the first stream does not read."""
        for layer in (self.conv_residual_first, *_convs(self.residual_convs)):
            _set(layer, identity_kernel(layer.out_channels, layer.in_channels, kernel_size=3))
        for layer in _convs(self.add_residual_convs):
            _set(layer, torch.zeros_like(layer.weight))
        last = self.conv_residual_last
        _set(last, anchor_kernel(3, last.in_channels, self.scale, kernel_size=3))

    def kernels(self) -> list[tuple[Tensor, Tensor]]:
        """Return weight and bias of each convolution of the plain stack, first to last."""
        first = self.conv_first, self.conv_residual_first
        kernels = [(torch.cat([c.weight for c in first]), torch.cat([bias_of(c) for c in first]))]
        streams = map(_convs, (self.backbone_convs, self.residual_convs, self.add_residual_convs))
        for high, low, read in zip(*streams, strict=True):
            nothing = torch.zeros_like(read.weight).transpose(0, 1)
            rows = [torch.cat([high.weight, read.weight], 1), torch.cat([nothing, low.weight], 1)]
            kernels.append((torch.cat(rows), torch.cat([bias_of(high) + bias_of(read), bias_of(low)])))
        last = self.conv_last, self.conv_residual_last
        kernels.append((torch.cat([c.weight for c in last], 1), bias_of(last[0]) + bias_of(last[1])))
        return kernels

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]."""
        with torch.autocast(lr.device.type, enabled=False):  # bf16 would round a sum of biases twice
            *kernels, (weight, bias) = self.kernels()
        features = lr
        for (inner_weight, inner_bias), act in zip(kernels, self.activations, strict=True):
            features = act(F.conv2d(features, inner_weight, inner_bias, padding=1))
        return self.depth_to_space(self.clip(F.conv2d(features, weight, bias, padding=1)))

    def low_stream(self, lr: Tensor) -> Tensor:
        """Return the image of the second stream alone, (N, 3, s*h, s*w), not clipped."""
        features = lr
        for layer, act in zip((self.conv_residual_first, *self.residual_convs), self.activations, strict=True):
            features = act(layer(features))
        return self.depth_to_space(self.conv_residual_last(features))

    def collapse(self) -> Net:
        """Return the plain stack: QuickSRNet with f channels and m convolutions."""
        f = self.conv_first.out_channels + self.conv_residual_first.out_channels
        net = QuickSRNet(
            f=f,
            m=len(self.backbone_convs),
            scale=self.scale,
            activation=self.activation,
            init="random",
            identity_x1_5="fixed",
            residual="none",
            upscaling="space_to_depth",
            overparameterize="none",
        ).to(self.conv_first.weight)
        layers = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
        for layer, (weight, bias) in zip(layers, self.kernels(), strict=True):
            layer.weight, layer.bias = nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())
        return net.train(self.training)


def _convs(layers: nn.ModuleList) -> list[nn.Conv2d]:
    return cast(list[nn.Conv2d], list(layers))


def _set(layer: nn.Conv2d, weight: Tensor) -> None:
    layer.weight.copy_(weight)
    bias_of(layer).zero_()
