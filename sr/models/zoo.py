"""The AIMET model zoo's names for weights, in ours: its released nets can be started from, scored and exported.

Upstream: quic/aimet-model-zoo (BSD-3-Clause), aimet_zoo_torch/{quicksrnet,abpn,xlsr,sesr}; its files hold a state dict
under "state_dict". The key map, and the model that each file fits:

    QuickSRNet    the same names    model=quicksrnet_small, _medium, _large; at x1.5 too
    ABPN          the same names    model=abpn; its 32-channel net with model.f=32
    XLSR          the same names    model=xlsr
    SESR          as below          model=sesr_rgb_m3, _m5, _m7, _m11, _xl with model.head_activation=true

    conv_first.conv_expand.weight           conv_first.branches.0.expand.weight
    conv_first.conv_squeeze.weight, .bias   conv_first.branches.0.squeeze.weight, .bias
    residual_block.{i}.conv_expand.weight   body.{2i}.branches.0.expand.weight      (between two is the activation)
    residual_block.{i}.conv_squeeze.*       body.{2i}.branches.0.squeeze.*
    conv_last.conv_expand, .conv_squeeze    as conv_first
    anchor.net.weight, .bias                the same
    X.conv_expand.weight, .bias alone       X.weight, .bias: a block that the zoo collapsed
    module.*                                *: weights saved from `nn.DataParallel`

The zoo's linear blocks have a bias at their end only; where ours has one inside, too, it becomes zero, which is the
same function. The zoo does not clip the outputs of ABPN and SESR, ours are.
"""

import re
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

EXPAND, SQUEEZE = ".conv_expand.", ".conv_squeeze."


def our_names(state: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """Rename a state dict of the model zoo; one that has our names already stays as it is.

    Args:
        state: name -> tensor.
        wanted: the names of the net that it is for, which tell whether its linear blocks have an inner bias.

    Returns:
        name -> tensor, the tensors themselves shared.

    Example:
        >>> weight = torch.zeros(256, 16, 3, 3)
        >>> squeeze = torch.zeros(16, 256, 1, 1)
        >>> list(our_names({"residual_block.1.conv_expand.weight": weight,
        ...                 "residual_block.1.conv_squeeze.weight": squeeze}, ()))
        ['body.2.branches.0.expand.weight', 'body.2.branches.0.squeeze.weight']
    """
    renamed = {_our_name(name.removeprefix("module."), state): value for name, value in state.items()}
    if not any(EXPAND in name for name in state):
        return renamed
    inner = {f"{name.removesuffix('weight')}bias": value for name, value in renamed.items() if "expand.weight" in name}
    zeros = {name: torch.zeros(len(value)) for name, value in inner.items() if name in wanted and name not in renamed}
    return renamed | zeros


def check_form(net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Refuse the zoo's SESR for a net without an activation after its first block: every key fits, the image does not.

    Raises:
        ValueError: says which setting to change.
    """
    if any(EXPAND in name for name in state) and getattr(net, "activation_first", True) is None:
        raise ValueError(
            "these are weights of the AIMET model zoo's SESR, which has an activation after its first block: "
            "set model.head_activation=true"
        )


def _our_name(name: str, state: Mapping[str, Tensor]) -> str:
    """Translate one name; `state` tells whether its block is collapsed."""
    block = name.partition(EXPAND)[0]
    collapsed = EXPAND in name and not any(f"{block}{SQUEEZE}" in other for other in state)
    name = name.replace(EXPAND, "." if collapsed else ".branches.0.expand.")
    name = name.replace(SQUEEZE, ".branches.0.squeeze.")
    return re.sub(r"^residual_block\.(\d+)\.", lambda found: f"body.{2 * int(found[1])}.", name)
