"""The published RFDN of the AIM 2020 challenge, rebuilt from its description: its names and its function in our net."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sr.models.rfdn_names import from_rfdn_names
from sr.models.weights import load_weights

F_IN, F_HALF, F_INNER = 50, 25, 12


def shapes() -> dict[str, tuple[int, int, int]]:
    """Layers of the published file: (out, in, kernel)."""
    block = {f"c{j}_d": (F_HALF, F_IN, 1) for j in (1, 2, 3)} | {f"c{j}_r": (F_IN, F_IN, 3) for j in (1, 2, 3)}
    block |= {"c4": (F_HALF, F_IN, 3), "c5": (F_IN, 4 * F_HALF, 1), "esa.conv1": (F_INNER, F_IN, 1)}
    block |= {"esa.conv_f": (F_INNER, F_INNER, 1), "esa.conv4": (F_IN, F_INNER, 1)}
    block |= {f"esa.{name}": (F_INNER, F_INNER, 3) for name in ("conv_max", "conv2", "conv3", "conv3_")}
    layers = {f"B{i}.{name}": shape for i in (1, 2, 3, 4) for name, shape in block.items()}
    ends = {"fea_conv": (F_IN, 3, 3), "c.0": (F_IN, 4 * F_IN, 1), "LR_conv": (F_IN, F_IN, 3)}
    return layers | ends | {"upsampler.0": (48, F_IN, 3)}


def published() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, (out, inner, side) in shapes().items():
        state[f"{name}.weight"] = torch.randn(out, inner, side, side, generator=generator) / (inner * side**2) ** 0.5
        state[f"{name}.bias"] = torch.randn(out, generator=generator) / 10
    return state


def forward(state: dict[str, Tensor], lr: Tensor) -> Tensor:
    """The published net, written from its layers."""

    def conv(name: str, x: Tensor, **how: int) -> Tensor:
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, state[f"{name}.bias"], **({"padding": weight.shape[-1] // 2} | how))

    def act(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.05)

    def block(name: str, x: Tensor) -> Tensor:
        parts = []
        for j in (1, 2, 3):
            parts.append(act(conv(f"{name}.c{j}_d", x)))
            x = act(conv(f"{name}.c{j}_r", x) + x)
        fused = conv(f"{name}.c5", torch.cat([*parts, act(conv(f"{name}.c4", x))], 1))
        first = conv(f"{name}.esa.conv1", fused)
        far = F.max_pool2d(conv(f"{name}.esa.conv2", first, stride=2, padding=0), 7, 3)
        far = F.relu(conv(f"{name}.esa.conv3", F.relu(conv(f"{name}.esa.conv_max", far))))
        far = F.interpolate(conv(f"{name}.esa.conv3_", far), fused.shape[2:], mode="bilinear", align_corners=False)
        return fused * conv(f"{name}.esa.conv4", far + conv(f"{name}.esa.conv_f", first)).sigmoid()

    features = start = conv("fea_conv", lr)
    outputs = [features := block(f"B{i}", features) for i in (1, 2, 3, 4)]
    fused = conv("LR_conv", act(conv("c.0", torch.cat(outputs, 1)))) + start
    return F.pixel_shuffle(conv("upsampler.0", fused), 4)


def test_the_published_file_fits_and_computes_the_same(make):
    net, state, lr = make("erfdn", scale=4), published(), torch.rand(1, 3, 24, 31)
    load_weights(net, {f"module.{name}": value for name, value in state.items()}, source="RFDN_AIM.pth")
    with torch.no_grad():
        torch.testing.assert_close(net(lr), forward(state, lr), rtol=1e-4, atol=1e-5)


def test_names_of_our_own_stay(make):
    state = make("erfdn", scale=4).state_dict()
    assert from_rfdn_names(state).keys() == state.keys()
