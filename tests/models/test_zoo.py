"""The AIMET model zoo's state dicts: nets written here from its naming give the same image as ours with its weights."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.models import zoo
from sr.models.weights import load_weights, read_weights

State = dict[str, Tensor]
HEAD = "model.head_activation=true"  # as the zoo has SESR


def conv(state: State, name: str, image: Tensor, **settings: int) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(image, weight, state.get(f"{name}.bias"), padding=weight.shape[-1] // 2, **settings)


def random_state(shapes: dict[str, tuple[int, ...]]) -> State:
    generator = torch.Generator().manual_seed(0)
    return {name: 0.1 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def sesr_shapes(m: int, f: int, scale: int, *, collapsed: bool) -> dict[str, tuple[int, ...]]:
    slots = 3 * scale**2
    blocks = [
        ("conv_first", 3, f, 5),
        *((f"residual_block.{i}", f, f, 3) for i in range(m)),
        ("conv_last", f, slots, 5),
    ]
    shapes: dict[str, tuple[int, ...]] = {"anchor.net.weight": (slots, 3, 1, 1), "anchor.net.bias": (slots,)}
    for name, inputs, outputs, size in blocks:
        middle = outputs if collapsed else 256
        shapes[f"{name}.conv_expand.weight"] = (middle, inputs, size, size)
        if collapsed:
            shapes[f"{name}.conv_expand.bias"] = (outputs,)
        else:
            shapes |= {f"{name}.conv_squeeze.weight": (outputs, 256, 1, 1), f"{name}.conv_squeeze.bias": (outputs,)}
    return shapes


def sesr_forward(state: State, lr: Tensor, scale: int, *, collapsed: bool) -> Tensor:
    """The zoo's net as its documentation and names describe it; the skip of a collapsed block is in its kernel."""

    def block(name: str, image: Tensor) -> Tensor:
        image = conv(state, f"{name}.conv_expand", image)
        return image if collapsed else conv(state, f"{name}.conv_squeeze", image)

    first = features = F.relu(block("conv_first", lr))
    for name in sorted({key.rpartition(".conv")[0] for key in state if key.startswith("residual")}, key=number):
        features = F.relu(block(name, features) + (0 if collapsed else features))
    blocks = block("conv_last", features + first) + conv(state, "anchor.net", lr)
    return F.pixel_shuffle(blocks, scale).clamp(0, 1)


def number(name: str) -> int:
    return int(re.sub(r"\D", "", name))


def plain_stack(state: State, image: Tensor, clip: bool) -> Tensor:
    names = sorted({key.rpartition(".")[0] for key in state if key.startswith("cnn.")}, key=number)
    for name in names[:-1]:
        image = conv(state, name, image)
        image = image.clamp(0, 1) if clip else image.relu()
    image = conv(state, names[-1], image)
    return image.clamp(0, 1) if clip else image


def quicksrnet_forward(state: State, lr: Tensor, scale: float) -> Tensor:
    features = plain_stack(state, lr, clip=True)
    blocks = conv(state, "conv_last", F.pixel_unshuffle(features, 2) if scale == 1.5 else features)
    if "anchor.net.weight" in state:
        weight, bias = state["anchor.net.weight"], state["anchor.net.bias"]
        blocks = blocks + F.conv2d(lr, weight, bias, stride=2 if scale == 1.5 else 1, padding=weight.shape[-1] // 2)
    return F.pixel_shuffle(blocks.clamp(0, 1), 3 if scale == 1.5 else int(scale))


def quicksrnet_shapes(f: int, m: int, scale: float, *, anchor: bool) -> dict[str, tuple[int, ...]]:
    slots = 27 if scale == 1.5 else 3 * int(scale) ** 2
    last = (slots, 4 * f, 1, 1) if scale == 1.5 else (slots, f, 3, 3)
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(m + 1):
        shapes |= {f"cnn.{2 * i}.weight": (f, f if i else 3, 3, 3), f"cnn.{2 * i}.bias": (f,)}
    shapes |= {"conv_last.weight": last, "conv_last.bias": (slots,)}
    if anchor:
        size = 3 if scale == 1.5 else 1
        shapes |= {"anchor.net.weight": (slots, 3, size, size), "anchor.net.bias": (slots,)}
    return shapes


def start(net: nn.Module, state: State, folder) -> nn.Module:
    """Through a file as the zoo has it."""
    torch.save({"state_dict": state, "epoch": 7}, folder / "checkpoint_float32.pth.tar")
    load_weights(net, read_weights(folder / "checkpoint_float32.pth.tar"), source="the zoo")
    return net.eval()


@torch.no_grad()
def check(net: nn.Module, expected: Tensor, lr: Tensor) -> None:
    inside = (expected > 0) & (expected < 1)
    assert expected[inside].std() > 0.02 and inside.float().mean() > 0.1, "an image that tells nets apart"
    torch.testing.assert_close(net(lr), expected, atol=2e-5, rtol=0)


@pytest.fixture
def lr() -> Tensor:
    return torch.rand(1, 3, 12, 14, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("scale", [1.5, 2, 4])
@pytest.mark.parametrize(("name", "f", "m"), [("quicksrnet_small", 32, 2), ("quicksrnet_large", 64, 11)])
def test_quicksrnet(make, tmp_path, lr, name, f, m, scale, prefix):
    state = random_state(quicksrnet_shapes(f, m, scale, anchor=name == "quicksrnet_large"))
    net = start(make(name, scale=scale), {prefix + key: value for key, value in state.items()}, tmp_path)
    check(net, quicksrnet_forward(state, lr, scale), lr)


@pytest.mark.parametrize("f", [28, 32])
def test_abpn(make, tmp_path, lr, f):
    shapes = {"cnn.0.weight": (f, 3, 3, 3), "cnn.0.bias": (f,), "cnn.12.weight": (12, f, 3, 3), "cnn.12.bias": (12,)}
    for i in range(2, 12, 2):
        shapes |= {f"cnn.{i}.weight": (f, f, 3, 3), f"cnn.{i}.bias": (f,)}
    state = random_state(shapes | {"anchor.net.weight": (12, 3, 1, 1), "anchor.net.bias": (12,)})
    blocks = plain_stack(state, lr, clip=False) + conv(state, "anchor.net", lr)
    check(start(make("abpn", f"model.f={f}"), state, tmp_path), F.pixel_shuffle(blocks, 2).clamp(0, 1), lr)


def test_xlsr(make, tmp_path, lr):
    shapes: dict[str, tuple[int, ...]] = {"residual.weight": (16, 3, 3, 3), "cnn.0.weight": (32, 3, 3, 3)}
    shapes |= {"cnn.2.weight": (32, 32, 1, 1), "tail.0.weight": (32, 48, 1, 1), "tail.2.weight": (12, 32, 3, 3)}
    for i in (3, 4, 5):
        shapes |= {f"cnn.{i}.net.0.weight": (32, 8, 3, 3), f"cnn.{i}.net.2.weight": (32, 32, 1, 1)}
    shapes |= {name.replace("weight", "bias"): shape[:1] for name, shape in shapes.items()}
    state = {name: 2 * value for name, value in random_state(shapes).items()}
    features = conv(state, "cnn.2", conv(state, "cnn.0", lr).relu())
    for i in (3, 4, 5):
        features = conv(state, f"cnn.{i}.net.2", conv(state, f"cnn.{i}.net.0", features, groups=4).relu())
    joined = torch.cat([features, conv(state, "residual", lr)], dim=1)
    blocks = conv(state, "tail.2", conv(state, "tail.0", joined).relu())
    check(start(make("xlsr"), state, tmp_path), F.pixel_shuffle(blocks, 2).clamp(0, 1), lr)


@pytest.mark.parametrize("expand_bias", ["true", "false"])
@pytest.mark.parametrize(
    ("name", "f", "m", "scale"),
    [("sesr_rgb_m3", 16, 3, 2), ("sesr_rgb_m3", 16, 3, 3), ("sesr_rgb_m3", 16, 3, 4), ("sesr_rgb_xl", 32, 11, 2)],
)
def test_sesr(make, tmp_path, lr, name, f, m, scale, expand_bias):
    shapes = sesr_shapes(m, f, scale, collapsed=False)
    state = {key: value * (0.3 if "conv_" in key else 1) for key, value in random_state(shapes).items()}
    net = start(make(name, HEAD, f"model.expand_bias={expand_bias}", scale=scale), state, tmp_path)
    check(net, sesr_forward(state, lr, scale, collapsed=False), lr)
    if expand_bias == "true":
        assert not net.conv_first.branches[0].expand.bias.any(), "the zoo's blocks have no inner bias"


def test_a_sesr_that_the_zoo_collapsed_fits_the_deployed_net_and_says_so_to_the_training_one(make, tmp_path, lr):
    state = random_state(sesr_shapes(3, 16, 2, collapsed=True))
    deployed = start(make("sesr_rgb_m3", HEAD).collapse(), state, tmp_path)
    check(deployed, sesr_forward(state, lr, 2, collapsed=True), lr)
    with pytest.raises(ValueError, match="weights of the inference form"):
        start(make("sesr_rgb_m3", HEAD), state, tmp_path)


def test_the_papers_sesr_refuses_the_zoos(make):
    state = random_state(sesr_shapes(3, 16, 2, collapsed=False))
    with pytest.raises(ValueError, match=r"shape of conv_first\.conv_expand\.weight: \(256, 3, 5, 5\) there"):
        load_weights(make("sesr_m3", HEAD), state, source="the zoo")


@pytest.mark.parametrize("collapsed", [True, False])
def test_a_sesr_without_its_first_activation_refuses_the_zoos(make, collapsed):
    net = make("sesr_rgb_m3").collapse() if collapsed else make("sesr_rgb_m3")
    with pytest.raises(ValueError, match=r"model\.head_activation=true"):
        load_weights(net, random_state(sesr_shapes(3, 16, 2, collapsed=collapsed)), source="the zoo")


def test_our_own_names_stay_as_they_are(make):
    state = make("sesr_rgb_m3").state_dict()
    assert zoo.convert_zoo_names(state, state).keys() == state.keys()
