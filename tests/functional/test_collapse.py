"""Every fold against the convolutions it replaces, borders included, in float64 and float32, and its gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional import collapse

DTYPES = [torch.float64, torch.float32]


def random(*shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def conv_params(
    out: int, inner: int, size: int, *, bias: bool, dtype: torch.dtype, seed: int
) -> collapse.WeightAndBias:
    weight = random(out, inner, size, size, dtype=dtype, seed=seed) / (inner * size**2) ** 0.5
    return weight, random(out, dtype=dtype, seed=seed + 1) if bias else None


def assert_same(got: Tensor, want: Tensor) -> None:
    """1e-5 everywhere in float32, and rounding alone in float64: a wrong border pixel would be off by about 1."""
    tolerance = 1e-12 if got.dtype == torch.float64 else 1e-5
    assert got.shape == want.shape
    assert (got - want).abs().max().item() <= tolerance


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize(("bias1", "bias2"), [(True, True), (True, False), (False, True), (False, False)])
def test_squeeze_after_a_kxk_convolution(dtype: torch.dtype, size: int, bias1: bool, bias2: bool) -> None:
    image = random(2, 3, 7, 6, dtype=dtype, seed=0)
    expand = conv_params(16, 3, size, bias=bias1, dtype=dtype, seed=1)
    squeeze = conv_params(4, 16, 1, bias=bias2, dtype=dtype, seed=3)
    want = F.conv2d(F.conv2d(image, *expand, padding=size // 2), *squeeze)
    weight, bias = collapse.fold_squeeze(expand, squeeze)
    assert (bias is None) == (not bias1 and not bias2)
    assert_same(F.conv2d(image, weight, bias, padding=size // 2), want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [3, 5])
def test_expand_before_a_kxk_convolution_with_bias_padding(dtype: torch.dtype, size: int) -> None:
    image = random(2, 3, 7, 6, dtype=dtype, seed=0)
    expand = conv_params(8, 3, 1, bias=True, dtype=dtype, seed=1)
    conv = conv_params(4, 8, size, bias=True, dtype=dtype, seed=3)
    want = F.conv2d(F.conv2d(image, *expand, padding=size // 2), *conv)
    got = F.conv2d(image, *collapse.fold_expand(expand, conv), padding=size // 2)
    assert_same(got, want)


def test_zeros_between_a_1x1_and_a_3x3_are_another_function() -> None:
    """Shows what bias padding is for: the interior agrees, the frame of one pixel does not."""
    image = random(1, 3, 7, 6, dtype=torch.float64, seed=0)
    expand = conv_params(8, 3, 1, bias=True, dtype=torch.float64, seed=1)
    conv = conv_params(4, 8, 3, bias=True, dtype=torch.float64, seed=3)
    naive = F.conv2d(F.conv2d(image, *expand), *conv, padding=1)
    got = F.conv2d(image, *collapse.fold_expand(expand, conv), padding=1)
    assert_same(got[..., 1:-1, 1:-1], naive[..., 1:-1, 1:-1])
    assert (got - naive)[..., 0, :].abs().max() > 1e-2


@pytest.mark.parametrize("dtype", DTYPES)
def test_depthwise_after_a_1x1_convolution(dtype: torch.dtype) -> None:
    image = random(2, 3, 7, 6, dtype=dtype, seed=0)
    expand = conv_params(8, 3, 1, bias=True, dtype=dtype, seed=1)
    depthwise = conv_params(8, 1, 3, bias=True, dtype=dtype, seed=3)
    want = F.conv2d(F.conv2d(image, *expand, padding=1), *depthwise, groups=8)
    got = F.conv2d(image, *collapse.fold_depthwise(expand, depthwise), padding=1)
    assert_same(got, want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 5])
def test_short_skip_is_an_identity_in_the_kernel(dtype: torch.dtype, size: int) -> None:
    image = random(2, 4, 7, 6, dtype=dtype, seed=0)
    weight, bias = conv_params(4, 4, size, bias=True, dtype=dtype, seed=1)
    want = F.conv2d(image, weight, bias, padding=size // 2) + image
    skip = collapse.identity_kernel(4, 4, size).to(dtype)
    assert_same(F.conv2d(image, weight + skip, bias, padding=size // 2), want)


def test_partial_identity_copies_what_both_sides_have() -> None:
    image = random(1, 3, 5, 4, dtype=torch.float32, seed=0)
    wide = F.conv2d(image, collapse.identity_kernel(5, 3, 3), padding=1)
    assert torch.equal(wide[:, :3], image)
    assert not wide[:, 3:].any()
    narrow = F.conv2d(image, collapse.identity_kernel(2, 3, 3), padding=1)
    assert torch.equal(narrow, image[:, :2])


@pytest.mark.parametrize("block", [2, 3, 4])
@pytest.mark.parametrize(("channels", "in_channels"), [(1, 1), (3, 3), (3, 8)])
@pytest.mark.parametrize("size", [1, 3])
def test_anchor_is_nearest_neighbour_upscaling(block: int, channels: int, in_channels: int, size: int) -> None:
    features = random(2, in_channels, 4, 5, dtype=torch.float32, seed=0)
    anchor = F.conv2d(features, collapse.anchor_kernel(channels, in_channels, block, size), padding=size // 2)
    got = nn.PixelShuffle(block)(anchor)
    want = F.interpolate(features[:, :channels], scale_factor=block, mode="nearest")
    assert torch.equal(got, want)


def test_pad_kernel_keeps_the_function() -> None:
    image = random(1, 3, 7, 6, dtype=torch.float64, seed=0)
    weight, _ = conv_params(4, 3, 1, bias=False, dtype=torch.float64, seed=1)
    got = F.conv2d(image, collapse.pad_kernel(weight, 5), padding=2)
    assert_same(got, F.conv2d(image, weight))


@pytest.mark.parametrize(("size", "wanted"), [(3, 1), (3, 4), (1, 2), (2, 3)])
def test_pad_kernel_refuses_what_has_no_centre(size: int, wanted: int) -> None:
    with pytest.raises(ValueError, match=f"{size}x{size} kernel cannot be centred in {wanted}x{wanted}"):
        collapse.pad_kernel(torch.zeros(1, 1, size, size), wanted)


def test_gradients_through_the_folded_kernel_are_those_of_the_expanded_block() -> None:
    image = random(2, 3, 7, 6, dtype=torch.float64, seed=0)
    expand = conv_params(16, 3, 3, bias=True, dtype=torch.float64, seed=1)
    squeeze = conv_params(4, 16, 1, bias=True, dtype=torch.float64, seed=3)
    params = [tensor.requires_grad_() for tensor in (*expand, *squeeze) if tensor is not None]
    assert len(params) == 4
    wide = F.conv2d(F.conv2d(image, *expand, padding=1), *squeeze).square().sum()
    thin = F.conv2d(image, *collapse.fold_squeeze(expand, squeeze), padding=1).square().sum()
    for want, got in zip(torch.autograd.grad(wide, params), torch.autograd.grad(thin, params), strict=True):
        torch.testing.assert_close(got, want)
