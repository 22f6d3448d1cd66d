"""Load weights of the AIMET model zoo: translate its parameter names to those of this package.

Upstream: quic/aimet-model-zoo (BSD-3-Clause), aimet_zoo_torch/{quicksrnet,abpn,xlsr,sesr}; its files hold a state dict
under "state_dict". Key map, and the model for each file:

    QuickSRNet    the same names    model=quicksrnet_small, _medium, _large; at x1.5 too; its 8-bit files, too
    ABPN          the same names    model=abpn; its 32-channel net with model.f=32
    XLSR          the same names    model=xlsr
    SESR          as below          model=sesr_rgb_m3, _m5, _m7, _m11, _xl with model.head_activation=true

    conv_first.conv_expand.weight           conv_first.branches.0.expand.weight
    conv_first.conv_squeeze.weight, .bias   conv_first.branches.0.squeeze.weight, .bias
    residual_block.{i}.conv_expand.weight   body.{2i}.branches.0.expand.weight      (odd entries are activations)
    residual_block.{i}.conv_squeeze.*       body.{2i}.branches.0.squeeze.*
    conv_last.conv_expand, .conv_squeeze    as conv_first
    anchor.net.weight, .bias                the same
    X.conv_expand.weight, .bias alone       X.weight, .bias: a block that the zoo collapsed

The zoo's linear blocks have a bias in their second convolution only. A bias in the first convolution here becomes zero,
so that the function is the same. The zoo does not clip the outputs of ABPN and SESR; this package does.
"""

import re
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

ZOO_LAYERS = {"clip_output": "clip", "add_op": "add"}
"""Layers without weights of the zoo's QuickSRNet -> ours, for files of encodings."""
_EXPAND, _SQUEEZE = ".conv_expand.", ".conv_squeeze."


def convert_zoo_names(state: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """Rename the parameters of a state dict of the model zoo; other state dicts stay unchanged.

    Args:
        state: Parameter name -> tensor.
        wanted: Parameter names of the target net; they determine whether its linear blocks have an inner bias.

    Returns:
        Parameter name -> tensor; the tensors are shared with `state`.

    Example:
        >>> weight = torch.zeros(256, 16, 3, 3)
        >>> squeeze = torch.zeros(16, 256, 1, 1)
        >>> list(convert_zoo_names({"residual_block.1.conv_expand.weight": weight,
        ...                         "residual_block.1.conv_squeeze.weight": squeeze}, ()))
        ['body.2.branches.0.expand.weight', 'body.2.branches.0.squeeze.weight']
    """
    renamed = {_convert_name(name, state): value for name, value in state.items()}
    if not any(_EXPAND in name for name in state):
        return renamed
    inner = {f"{name.removesuffix('weight')}bias": value for name, value in renamed.items() if "expand.weight" in name}
    zeros = {name: torch.zeros(len(value)) for name, value in inner.items() if name in wanted and name not in renamed}
    return renamed | zeros


def zoo_layer(name: str) -> str:
    """Return the name here of a layer without weights of the zoo's QuickSRNet; other names stay.

    >>> zoo_layer("clip_output"), zoo_layer("cnn.1")
    ('clip', 'cnn.1')
    """
    return ZOO_LAYERS.get(name, name)


def check_form(net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Raise ValueError for the zoo's SESR weights and a net without an activation after its first block.

    All keys would fit, but the output would be wrong.

    Args:
        net: The target net.
        state: Parameter name -> tensor, with the names of the file.

    Raises:
        ValueError: If the net lacks the activation; the message names the setting to change.
    """
    if any(_EXPAND in name for name in state) and getattr(net, "activation_first", True) is None:
        raise ValueError(
            "these are weights of the AIMET model zoo's SESR, which has an activation after its first block: "
            "set model.head_activation=true"
        )


def _convert_name(name: str, state: Mapping[str, Tensor]) -> str:
    """Convert one parameter name; its block is collapsed if `state` has no second convolution for it."""
    block = name.partition(_EXPAND)[0]
    collapsed = _EXPAND in name and not any(f"{block}{_SQUEEZE}" in other for other in state)
    name = name.replace(_EXPAND, "." if collapsed else ".branches.0.expand.")
    name = name.replace(_SQUEEZE, ".branches.0.squeeze.")
    return re.sub(r"^residual_block\.(\d+)\.", lambda found: f"body.{2 * int(found[1])}.", name)
