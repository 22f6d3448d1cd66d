"""Cross-layer equalisation: neighbouring layers get equal channel ranges; the function of the net stays."""

import copy
import logging
from dataclasses import dataclass

import torch
from torch import nn

from sr.export.graph.float_onnx import example_input
from sr.models.net import Net
from sr.runs.silence_logs import silence_logs

log = logging.getLogger(__name__)

SAME = 1e-4  # largest difference of a pixel in [0, 1] by another order of summation


@dataclass(frozen=True, kw_only=True)
class CrossLayerEqualization:
    """Scale each channel between two layers with AIMET, so that both layers have the same range there.

    It needs an activation f with f(a*x) = a*f(x), as ReLU and PReLU. Behind a clip to [0, 1] it can do nothing and logs
    a warning. QuickSRNet's authors report a loss of quality, because it pushes activations out of [0, 1].

    Args:
        name: Name in the chain.

    Source: Data-Free Quantization, arXiv 1906.04721; QuickSRNet (arXiv 2303.04336) section 4.
    """

    name: str

    def prepare(self, net: Net) -> Net:
        """Return an equalised copy; if the activations do not allow it, log a warning and return the net itself.

        Raises:
            ValueError: AIMET is missing.
        """
        from sr.quantization.aimet import equalized

        scaled = equalized(copy.deepcopy(net))
        before, after = net.state_dict(), scaled.state_dict()
        if all(torch.equal(before[name], after[name]) for name in before):
            return self._unchanged(net, "no two of its layers have a scalable activation between them")
        if not _same_function(net, scaled):
            return self._unchanged(net, "the scaled net is another function")
        return scaled

    def _unchanged(self, net: Net, reason: str) -> Net:
        clips = [name for name, module in net.named_modules() if isinstance(module, nn.Hardtanh)]
        because = f"{reason}; it clips at {', '.join(clips)}, and a clip does not scale" if clips else reason
        log.warning("%s leaves %s as it is: %s", self.name, type(net).__name__, because)
        return net


def _same_function(net: Net, other: nn.Module) -> bool:
    shape = example_input(net).shape
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), silence_logs():
        return bool((net(image) - other(image)).abs().max() <= SAME)
