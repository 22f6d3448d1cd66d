"""Folding of batch norms into the convolutions in front of them, as deployment does."""

import copy

from torch import nn

from sr.export.graph.float_onnx import example_input
from sr.models.net import Net
from sr.runs.silence_logs import silence_prints


def without_batch_norms(net: Net) -> Net:
    """Return a copy with folded batch norms and the same function in eval mode; without any, the net itself.

    Args:
        net: Net in its inference form and eval mode.

    Raises:
        ValueError: AIMET is missing, or a batch norm cannot be folded; the message names it.
    """
    if not _left(net):
        return net
    try:
        with silence_prints():
            from aimet_torch.batch_norm_fold import fold_all_batch_norms
    except ImportError as error:
        raise ValueError(f"folding batch norms needs AIMET ({error}): pip install aimet-torch") from error
    folded = copy.deepcopy(net).eval()
    with silence_prints():
        fold_all_batch_norms(folded, None, dummy_input=example_input(folded))
    if left := _left(folded):
        raise ValueError(f"{type(net).__name__} cannot be quantized: no convolution takes up batch norm {left}")
    return folded


def _left(net: nn.Module) -> str:
    """Return the names of the batch norms in a net."""
    return ", ".join(name for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d))
