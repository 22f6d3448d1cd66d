"""Weights of Compact and RRDBNet in the key layout of BasicSR, which spandrel and chaiNNer read, and back.

Upstream: XPixelGroup/BasicSR (Apache-2.0), `srvgg_arch.py` and `rrdbnet_arch.py`.

    Compact     body.{i}.*                             the same; the residual has no weights there
    RRDBNet     conv_first                             head
                body.{i}.rdb{j}.conv{k}, k = 1 to 4    body.{i}.blocks.{j-1}.layers.{k-1}
                body.{i}.rdb{j}.conv5                  body.{i}.blocks.{j-1}.last
                conv_body                              body.{m}, m the number of blocks
                conv_up1, conv_up2                     upsampler.1, upsampler.4
                conv_hr, conv_last                     tail.0, tail.2

spandrel has no EDSR and no SRResNet. It takes 32 growth channels in RRDBNet, and x2 or x4.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from sr.models.compact import Compact
from sr.models.net import Net
from sr.models.rrdbnet import RESIDUAL_SCALE, DenseBlock, RRDBNet

READABLE = "Compact and RRDBNet"
_GROWTH = 32  # of RRDBNet in spandrel
_LAYERS = {"conv_first": "head", "conv_up1": "upsampler.1", "conv_up2": "upsampler.4", "conv_hr": "tail.0"}
_LAYERS |= {"conv_last": "tail.2"}


def to_basicsr_names(net: Net) -> dict[str, Tensor]:
    """Return the weights of a net in BasicSR's layout.

    Args:
        net: A Compact with PReLU, or an RRDBNet; in its training or inference form.

    Returns:
        name -> tensor. A net of BasicSR or spandrel with these weights has the same output, before it is clipped.

    Raises:
        ValueError: spandrel has no such net, or the net has a part that spandrel's lacks.
    """
    if type(net) is Compact:
        if "body.1.weight" not in net.state_dict():
            raise ValueError("spandrel reads Compact with activation=prelu only")
        return {name: value for name, value in net.state_dict().items() if name.startswith("body.")}
    if type(net) is not RRDBNet:
        raise ValueError(f"spandrel has no {type(net).__name__}; it reads {READABLE}")
    blocks = [block for block in net.modules() if isinstance(block, DenseBlock)]
    growth = int(net.state_dict()["body.0.blocks.0.layers.0.weight"].shape[0])
    if growth != _GROWTH or net.scale == 3 or net.standardize is not None:
        raise ValueError(
            f"spandrel reads RRDBNet with growth={_GROWTH}, scale 2 or 4 and standardized=false; this one has "
            f"growth={growth}, scale {net.scale:g} and standardized={str(net.standardize is not None).lower()}"
        )
    folded = blocks[0].shrink is None  # the inference form holds the factor of the residual in its last layer
    state = net.state_dict()
    return {
        _theirs(name, len(net.body) - 1): value / RESIDUAL_SCALE if folded and ".last." in name else value
        for name, value in state.items()
    }


def _theirs(name: str, count: int) -> str:
    layer, _, parameter = name.rpartition(".")
    if found := re.fullmatch(r"body\.(\d+)\.blocks\.(\d+)\.(?:layers\.(\d+)|last)", layer):
        conv = 5 if found[3] is None else int(found[3]) + 1
        return f"body.{found[1]}.rdb{int(found[2]) + 1}.conv{conv}.{parameter}"
    names = {ours: theirs for theirs, ours in _LAYERS.items()} | {f"body.{count}": "conv_body"}
    return f"{names[layer]}.{parameter}"


def from_basicsr_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a state dict of BasicSR's RRDBNet; one with other names stays as it is.

    Args:
        state: name -> tensor.

    Returns:
        name -> tensor, the tensors themselves shared.

    >>> from torch import zeros
    >>> names = ["conv_first.weight", "body.0.rdb3.conv5.bias", "body.0.rdb1.conv2.weight", "conv_body.bias"]
    >>> list(from_basicsr_names({name: zeros(1) for name in names}))
    ['head.weight', 'body.0.blocks.2.last.bias', 'body.0.blocks.0.layers.1.weight', 'body.1.bias']
    """
    numbers = {int(found[1]) for name in state if (found := re.match(r"body\.(\d+)\.rdb\d", name))}
    if not numbers or "conv_first.weight" not in state:
        return dict(state)
    return {_ours(name, max(numbers) + 1): value for name, value in state.items()}


def _ours(name: str, count: int) -> str:
    layer, _, parameter = name.rpartition(".")
    if found := re.fullmatch(r"body\.(\d+)\.rdb(\d)\.conv(\d)", layer):
        place = "last" if found[3] == "5" else f"layers.{int(found[3]) - 1}"
        return f"body.{found[1]}.blocks.{int(found[2]) - 1}.{place}.{parameter}"
    return f"{(_LAYERS | {'conv_body': f'body.{count}'}).get(layer, layer)}.{parameter}"
