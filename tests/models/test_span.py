"""SPAN: published sizes, the block by its formula, the exact form for inference."""

import pytest
import torch
from torch import nn

from sr.models.collapsible import CollapsibleConv, set_forward_form
from sr.models.span import SPAN

SETTINGS = {"scale": 2, "f": 8, "m": 2, "activation": "silu"}


def build(**changes: object) -> SPAN:
    torch.manual_seed(0)
    return SPAN(**{**SETTINGS, **changes}).eval()


def test_published_sizes_for_inference() -> None:
    # 426K with 48 channels at x4: hongyuanyu/SPAN, issue 12, quotes the paper. 0.151M with 28 channels at x4: report of
    # NTIRE 2024 (arXiv 2404.10343, table 1) and the name of its file, team38_span_ch28_slim.pth.
    counts = {f: sum(p.numel() for p in build(f=f, m=6, scale=4).collapse().parameters()) for f in (48, 28)}
    assert counts == {48: 426_288, 28: 150_688}


@pytest.mark.parametrize("activation", ["silu", "relu1"])
@torch.no_grad()
def test_a_block_by_its_formula(activation: str) -> None:
    block, features = build(activation=activation).blocks[0], torch.randn(1, 8, 6, 5)
    act = nn.SiLU() if activation == "silu" else nn.Hardtanh(0, 1)
    first = block.conv0(features)
    last = block.conv2(act(block.conv1(act(first))))
    out, inner = block(features)
    torch.testing.assert_close(out, (last + features) * (torch.sigmoid(last) - 0.5))
    torch.testing.assert_close(inner, first)


@pytest.mark.parametrize("scale", [2, 3, 4])
@torch.no_grad()
def test_both_training_forms_and_the_net_for_inference_are_one_function(scale: int) -> None:
    net, lr = build(scale=scale), torch.rand(1, 3, 6, 5)
    plain, sr = net.collapse(), net(lr)
    assert sr.shape == (1, 3, 6 * scale, 5 * scale)
    assert not any(isinstance(layer, CollapsibleConv) for layer in plain.modules())
    assert plain.img_range is None and net.img_range is not None
    torch.testing.assert_close(plain(lr), sr, atol=1e-4, rtol=0)
    set_forward_form(net, "expanded")
    torch.testing.assert_close(net(lr), sr, atol=1e-4, rtol=0)
    torch.testing.assert_close(plain.collapse()(lr), plain(lr))


@torch.no_grad()
def test_the_fusion_reads_the_head_the_first_block_and_the_inside_of_the_last() -> None:
    net, lr = build(m=3), torch.rand(1, 3, 5, 4)
    head = net.head(255 * lr)
    one, _ = net.blocks[0](head)
    two, _ = net.blocks[1](one)
    three, inner = net.blocks[2](two)
    fused = net.fuse(torch.cat([head, net.last(three), one, inner], 1))
    torch.testing.assert_close(net(lr), net.depth_to_space(net.tail(fused)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1.5}, "SPAN cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"f": 0}, "f to be an integer of at least 1, got 0"),
        ({"m": 1}, "m to be an integer of at least 2, got 1"),
        ({"activation": "relu"}, "activation='relu': choose one of silu, relu1"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)
