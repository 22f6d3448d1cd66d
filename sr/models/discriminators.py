"""Discriminators: nets that tell true images from upscaled ones, (N, 3, H, W) in [0, 1] -> logits, high for true.

Each has `min_batch_size`: batch normalization over a batch of one image is no normalization over the data.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sr.models.blocks import Add, check_choice, check_count

SLOPE = 0.2  # negative slope of every LeakyReLU here: SRGAN 2.1.1, ESRGAN's code


class Discriminator(nn.Module):
    """A net that judges images (N, 3, H, W) in [0, 1] by logits of any shape.

    Attributes:
        min_batch_size: The smallest batch it trains on.
    """

    min_batch_size: int


class SRGANDiscriminator(Discriminator):
    """Eight 3x3 convolutions that double the channels and halve the image in turn, and two dense layers.

    Args:
        hr_patch: Pixels per side of the images, a multiple of 16; 96 in the paper.
        f: Channels of the first convolution; 64. The eighth has 8 f.

    Raises:
        ValueError: another size, here or when an image comes.

    Source: SRGAN (arXiv 1609.04802), figure 4.
    """

    min_batch_size = 2

    def __init__(self, *, hr_patch: int, f: int) -> None:
        super().__init__()
        self.hr_patch = _check_patch("SRGANDiscriminator", hr_patch, 16)
        check_count("SRGANDiscriminator", "f", f, 1)
        layers: list[nn.Module] = [nn.Conv2d(3, f, 3, padding=1), nn.LeakyReLU(SLOPE)]
        widths = [f, f, 2 * f, 2 * f, 4 * f, 4 * f, 8 * f, 8 * f]
        for i, (before, after) in enumerate(pairwise(widths)):
            layers += _conv_norm(before, after, 3, stride=2 if i % 2 == 0 else 1)
        self.features = nn.Sequential(*layers)
        dense = 8 * f * (hr_patch // 16) ** 2
        self.judge = nn.Sequential(
            nn.Flatten(), nn.Linear(dense, 16 * f), nn.LeakyReLU(SLOPE), nn.Linear(16 * f, 1)
        )  # 1024 where f is 64; the sigmoid is part of the loss

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit an image, (N, 1)."""
        _refuse_size(self, images, self.hr_patch)
        return self.judge(self.features(images))


class ESRGANDiscriminator(Discriminator):
    """Five pairs of a 3x3 convolution and a 4x4 one of stride 2, VGG style, and two dense layers.

    Args:
        hr_patch: Pixels per side of the images, a multiple of 32; 128 in the paper.
        f: Channels of the first pair; 64. The fourth and the fifth have 8 f.

    Raises:
        ValueError: another size, here or when an image comes.

    Source: ESRGAN (arXiv 1809.00219) and its training code: 8192 features -> 100 -> 1 at 128 pixels.
    """

    min_batch_size = 2

    def __init__(self, *, hr_patch: int, f: int) -> None:
        super().__init__()
        self.hr_patch = _check_patch("ESRGANDiscriminator", hr_patch, 32)
        check_count("ESRGANDiscriminator", "f", f, 1)
        layers: list[nn.Module] = [nn.Conv2d(3, f, 3, padding=1), nn.LeakyReLU(SLOPE)]
        layers += _conv_norm(f, f, 4, stride=2)
        for before, after in pairwise([f, 2 * f, 4 * f, 8 * f, 8 * f]):
            layers += [*_conv_norm(before, after, 3, stride=1), *_conv_norm(after, after, 4, stride=2)]
        self.features = nn.Sequential(*layers)
        dense = 8 * f * (hr_patch // 32) ** 2
        self.judge = nn.Sequential(nn.Flatten(), nn.Linear(dense, 100), nn.LeakyReLU(SLOPE), nn.Linear(100, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit an image, (N, 1)."""
        _refuse_size(self, images, self.hr_patch)
        return self.judge(self.features(images))


class PatchDiscriminator(Discriminator):
    """Judges each neighbourhood by itself: strided 4x4 convolutions; any image size.

    Without batch normalization, so that it needs no batch and leaves no colour shift; small enough to train beside a
    mobile net. It looks at 26 x 26 pixels with two halvings, at 54 x 54 with three.

    Args:
        f: Channels of the first convolution; each halving doubles them, up to 8 f.
        num_halvings: Convolutions of stride 2.

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
            layers += [_conv(before, after, 4, 2, spectral), nn.LeakyReLU(SLOPE)]
        layers += [_conv(widths[-1], widths[-1], 3, 1, spectral), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """Return a logit for each neighbourhood, (N, 1, H / 2**num_halvings, W / 2**num_halvings)."""
        return self.layers(images)


class UNetDiscriminator(Discriminator):
    """Judges each pixel with all of its surroundings: a U-Net of three halvings under spectral normalization.

    Args:
        hr_patch: Pixels per side of the training images, a multiple of 8.
        f: Channels at full resolution; 64 in the source, 16 beside a mobile net.

    Raises:
        ValueError: another size.

    Source: Real-ESRGAN (arXiv 2107.10833), section 3.3 and figure 6.
    """

    min_batch_size = 1

    def __init__(self, *, hr_patch: int, f: int) -> None:
        super().__init__()
        _check_patch("UNetDiscriminator", hr_patch, 8)
        check_count("UNetDiscriminator", "f", f, 1)
        widths = [f, 2 * f, 4 * f, 8 * f]
        self.first = nn.Sequential(nn.Conv2d(3, f, 3, padding=1), nn.LeakyReLU(SLOPE))
        self.down = nn.ModuleList([_normed(a, b, 4, stride=2) for a, b in pairwise(widths)])
        self.up = nn.ModuleList([_normed(b, a, 3, stride=1) for a, b in reversed([*pairwise(widths)])])
        self.enlarge = nn.ModuleList([nn.Upsample(scale_factor=2, mode="bilinear") for _ in self.up])
        self.add = nn.ModuleList([Add() for _ in self.up])
        self.last = nn.Sequential(_normed(f, f, 3, stride=1), _normed(f, f, 3, stride=1), nn.Conv2d(f, 1, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """Return a logit for each pixel, (N, 1, H, W)."""
        levels = [self.first(images)]
        for down in self.down:
            levels.append(down(levels[-1]))
        features = levels.pop()
        for enlarge, up, add in zip(self.enlarge, self.up, self.add, strict=True):
            features = add(up(enlarge(features)), levels.pop())
        return self.last(features)


def _conv(channels: int, out_channels: int, kernel_size: int, stride: int, spectral: bool) -> nn.Module:
    """A convolution, under spectral normalization if asked."""
    layer = nn.Conv2d(channels, out_channels, kernel_size, stride=stride, padding=1)
    return spectral_norm(layer) if spectral else layer


def _conv_norm(channels: int, out_channels: int, kernel_size: int, *, stride: int) -> list[nn.Module]:
    """A convolution without bias, batch normalization, LeakyReLU."""
    layer = nn.Conv2d(channels, out_channels, kernel_size, stride=stride, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(out_channels), nn.LeakyReLU(SLOPE)]


def _normed(channels: int, out_channels: int, kernel_size: int, *, stride: int) -> nn.Sequential:
    """A convolution without bias under spectral normalization, LeakyReLU."""
    layer = nn.Conv2d(channels, out_channels, kernel_size, stride=stride, padding=1, bias=False)
    return nn.Sequential(spectral_norm(layer), nn.LeakyReLU(SLOPE))


def _check_patch(net: str, hr_patch: float, multiple: int) -> int:
    if hr_patch < multiple or hr_patch % multiple:
        raise ValueError(
            f"{net} needs patches of a multiple of {multiple} HR pixels, got {hr_patch:g}: "
            "choose data.lr_patch so that lr_patch * scale is one, or task/discriminator=patch, which takes any size"
        )
    return int(hr_patch)


def _refuse_size(net: nn.Module, images: Tensor, side: int) -> None:
    if images.shape[-2:] != torch.Size((side, side)):
        raise ValueError(
            f"{type(net).__name__} was made for {side}x{side} pixels, got {tuple(images.shape[-2:])}; "
            "set its hr_patch to lr_patch * scale"
        )
