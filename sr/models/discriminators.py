"""Discriminators: classify images (N, 3, H, W) in [0, 1] as HR or SR by logits, which are high for HR images.

Each has `min_batch_size`, because batch normalization needs more than one image.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sr.models.blocks import Add, check_choice, check_count

_SLOPE = 0.2  # negative slope of every LeakyReLU: SRGAN section 2.1.1, ESRGAN's code


class Discriminator(nn.Module):
    """Base class of nets that map images (N, 3, H, W) in [0, 1] to logits of any shape.

    Attributes:
        min_batch_size: The smallest batch size for training.
    """

    min_batch_size: int


class SRGANDiscriminator(Discriminator):
    """Classify whole images with eight 3x3 convolutions and two dense layers.

    The convolutions double the channels and halve the image alternately.

    Args:
        hr_patch: Pixels per side of the images, a multiple of 16; 96 in the paper.
        f: Channels of the first convolution, 64 in the paper; the eighth has 8 f.

    Raises:
        ValueError: If `hr_patch` is not a multiple of 16, or if `forward` gets images of another size.

    Source: SRGAN (arXiv 1609.04802), figure 4.
    """

    min_batch_size = 2

    def __init__(self, *, hr_patch: int, f: int) -> None:
        super().__init__()
        self.hr_patch = _check_patch("SRGANDiscriminator", hr_patch, 16)
        check_count("SRGANDiscriminator", "f", f, 1)
        layers: list[nn.Module] = [nn.Conv2d(3, f, 3, padding=1), nn.LeakyReLU(_SLOPE)]
        widths = [f, f, 2 * f, 2 * f, 4 * f, 4 * f, 8 * f, 8 * f]
        for i, (before, after) in enumerate(pairwise(widths)):
            layers += _conv_norm(before, after, 3, stride=2 if i % 2 == 0 else 1)
        self.features = nn.Sequential(*layers)
        dense = 8 * f * (hr_patch // 16) ** 2
        self.judge = nn.Sequential(
            nn.Flatten(), nn.Linear(dense, 16 * f), nn.LeakyReLU(_SLOPE), nn.Linear(16 * f, 1)
        )  # 1024 if f is 64; the sigmoid is part of the loss

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit per image, (N, 1)."""
        _check_size(self, images, self.hr_patch)
        return self.judge(self.features(images))


class ESRGANDiscriminator(Discriminator):
    """Classify whole images with five pairs of convolutions (3x3, then 4x4 of stride 2) and two dense layers.

    Args:
        hr_patch: Pixels per side of the images, a multiple of 32; 128 in the paper.
        f: Channels of the first pair, 64 in the paper; the fourth and the fifth have 8 f.

    Raises:
        ValueError: If `hr_patch` is not a multiple of 32, or if `forward` gets images of another size.

    Source: ESRGAN (arXiv 1809.00219) and its training code: 8192 features -> 100 -> 1 at 128 pixels.
    """

    min_batch_size = 2

    def __init__(self, *, hr_patch: int, f: int) -> None:
        super().__init__()
        self.hr_patch = _check_patch("ESRGANDiscriminator", hr_patch, 32)
        check_count("ESRGANDiscriminator", "f", f, 1)
        layers: list[nn.Module] = [nn.Conv2d(3, f, 3, padding=1), nn.LeakyReLU(_SLOPE)]
        layers += _conv_norm(f, f, 4, stride=2)
        for before, after in pairwise([f, 2 * f, 4 * f, 8 * f, 8 * f]):
            layers += [*_conv_norm(before, after, 3, stride=1), *_conv_norm(after, after, 4, stride=2)]
        self.features = nn.Sequential(*layers)
        dense = 8 * f * (hr_patch // 32) ** 2
        self.judge = nn.Sequential(nn.Flatten(), nn.Linear(dense, 100), nn.LeakyReLU(_SLOPE), nn.Linear(100, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit per image, (N, 1)."""
        _check_size(self, images, self.hr_patch)
        return self.judge(self.features(images))


class PatchDiscriminator(Discriminator):
    """Classify each image patch separately with strided 4x4 convolutions (PatchGAN), for any image size.

    It has no batch normalization, so it trains on single images and causes no color shift. Its receptive field is 26x26
    pixels with two strided convolutions and 54x54 with three.

    Args:
        f: Channels of the first convolution; each further one doubles them, up to 8 f.
        num_halvings: Number of convolutions of stride 2.
        normalization: "none" or "spectral".

    Raises:
        ValueError: If a count or `normalization` is not supported.

    Source: the patch discriminator of pix2pix (arXiv 1611.07004), spectral normalization of arXiv 1802.05957.
    """

    min_batch_size = 1

    def __init__(self, *, f: int, num_halvings: int, normalization: str) -> None:
        super().__init__()
        check_choice("PatchDiscriminator", "normalization", normalization, ("none", "spectral"))
        spectral = normalization == "spectral"
        check_count("PatchDiscriminator", "f", f, 1)
        check_count("PatchDiscriminator", "num_halvings", num_halvings, 1)
        widths = [3, *(f * min(2**i, 8) for i in range(num_halvings))]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [_conv(before, after, 4, 2, spectral), nn.LeakyReLU(_SLOPE)]
        layers += [_conv(widths[-1], widths[-1], 3, 1, spectral), nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit per patch, (N, 1, H / 2**num_halvings, W / 2**num_halvings)."""
        return self.layers(images)


class UNetDiscriminator(Discriminator):
    """Classify each pixel with a U-Net of three strided convolutions and spectral normalization.

    Args:
        hr_patch: Pixels per side of the training images, a multiple of 8.
        f: Channels at full resolution; 64 in the source, 16 for training mobile nets.

    Raises:
        ValueError: If `hr_patch` is not a multiple of 8.

    Source: Real-ESRGAN (arXiv 2107.10833), section 3.3 and figure 6.
    """

    min_batch_size = 1

    def __init__(self, *, hr_patch: int, f: int) -> None:
        super().__init__()
        _check_patch("UNetDiscriminator", hr_patch, 8)
        check_count("UNetDiscriminator", "f", f, 1)
        widths = [f, 2 * f, 4 * f, 8 * f]
        self.first = nn.Sequential(nn.Conv2d(3, f, 3, padding=1), nn.LeakyReLU(_SLOPE))
        self.down = nn.ModuleList([_normed(a, b, 4, stride=2) for a, b in pairwise(widths)])
        self.up = nn.ModuleList([_normed(b, a, 3, stride=1) for a, b in reversed([*pairwise(widths)])])
        self.enlarge = nn.ModuleList([nn.Upsample(scale_factor=2, mode="bilinear") for _ in self.up])
        self.add = nn.ModuleList([Add() for _ in self.up])
        self.last = nn.Sequential(_normed(f, f, 3, stride=1), _normed(f, f, 3, stride=1), nn.Conv2d(f, 1, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit per pixel, (N, 1, H, W)."""
        levels = [self.first(images)]
        for down in self.down:
            levels.append(down(levels[-1]))
        features = levels.pop()
        for enlarge, up, add in zip(self.enlarge, self.up, self.add, strict=True):
            features = add(up(enlarge(features)), levels.pop())
        return self.last(features)


def _conv(channels: int, out_channels: int, kernel_size: int, stride: int, spectral: bool) -> nn.Module:
    """Make a convolution, with spectral normalization if `spectral`."""
    layer = nn.Conv2d(channels, out_channels, kernel_size, stride=stride, padding=1)
    return spectral_norm(layer) if spectral else layer


def _conv_norm(channels: int, out_channels: int, kernel_size: int, *, stride: int) -> list[nn.Module]:
    """Make a convolution without bias, batch normalization and LeakyReLU."""
    layer = nn.Conv2d(channels, out_channels, kernel_size, stride=stride, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(out_channels), nn.LeakyReLU(_SLOPE)]


def _normed(channels: int, out_channels: int, kernel_size: int, *, stride: int) -> nn.Sequential:
    """Make a convolution without bias, with spectral normalization, and LeakyReLU."""
    layer = nn.Conv2d(channels, out_channels, kernel_size, stride=stride, padding=1, bias=False)
    return nn.Sequential(spectral_norm(layer), nn.LeakyReLU(_SLOPE))


def _check_patch(net: str, hr_patch: float, multiple: int) -> int:
    if hr_patch < multiple or hr_patch % multiple:
        raise ValueError(
            f"{net} needs HR patches of a multiple of {multiple} pixels, got {hr_patch:g}: choose data.lr_patch so "
            f"that lr_patch * scale is a multiple of {multiple}, or task/discriminator=patch, which takes any size"
        )
    return int(hr_patch)


def _check_size(net: nn.Module, images: Tensor, side: int) -> None:
    if images.shape[-2:] != torch.Size((side, side)):
        raise ValueError(
            f"{type(net).__name__} was made for {side}x{side} pixels, got {tuple(images.shape[-2:])}; "
            "set its hr_patch to lr_patch * scale"
        )
