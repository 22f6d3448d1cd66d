"""Names of the published RFDN challenge weights (E-RFDN, `RFDN_AIM.pth`) in ours.

Upstream: njulj/RFDN, `RFDN.py` and `block.py`; inputs in [0, 1] there as here. The file fits `model=erfdn scale=4`.

    fea_conv                 head
    B{i}.c{j}_d, .c{j}_r     blocks.{i-1}.stages.{j-1}.distill.0, .refine
    B{i}.c4, .c5             blocks.{i-1}.last.0, .fuse
    B{i}.esa.*               blocks.{i-1}.attention.*   (`RFDN_ATTENTION`)
    c.0, LR_conv             fuse.0, fuse.2
    upsampler.0              tail
"""

import re
from collections.abc import Mapping

from torch import Tensor

RFDN_LAYERS = {"fea_conv": "head", "c.0": "fuse.0", "LR_conv": "fuse.2", "upsampler.0": "tail"}
RFDN_ATTENTION = {
    "conv1": "reduce",
    "conv2": "shrink.0",
    "conv_max": "small.0",
    "conv3": "small.2",
    "conv3_": "small.4",
    "conv_f": "full",
    "conv4": "gate.0",
}


def from_rfdn_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a state dict of upstream's RFDN; one with other names stays as it is.

    Args:
        state: name -> tensor.

    Returns:
        name -> tensor, the tensors themselves shared.

    >>> from torch import zeros
    >>> names = ["fea_conv.weight", "B2.c3_d.bias", "B1.esa.conv3_.weight"]
    >>> list(from_rfdn_names({name: zeros(1) for name in names}))
    ['head.weight', 'blocks.1.stages.2.distill.0.bias', 'blocks.0.attention.small.4.weight']
    """
    if "fea_conv.weight" not in state or not any(re.match(r"B\d+\.c\d_d\.", name) or ".esa." in name for name in state):
        return dict(state)
    return {_our_layer(*name.rsplit(".", 1)): value for name, value in state.items()}


def _our_layer(layer: str, parameter: str) -> str:
    """Translate the name of a layer; unknown ones stay."""
    found = re.fullmatch(r"B(\d+)\.(.+)", layer)
    if not found:
        return f"{RFDN_LAYERS.get(layer, layer)}.{parameter}"
    inner = found[2]
    if stage := re.fullmatch(r"c([123])_([dr])", inner):
        inner = f"stages.{int(stage[1]) - 1}.{'distill.0' if stage[2] == 'd' else 'refine'}"
    elif inner.startswith("esa."):
        inner = f"attention.{RFDN_ATTENTION.get(inner[4:], inner[4:])}"
    else:
        inner = {"c4": "last.0", "c5": "fuse"}.get(inner, inner)
    return f"blocks.{int(found[1]) - 1}.{inner}.{parameter}"
